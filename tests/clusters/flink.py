"""Apache Flink on the loopback: `python -m tests.clusters.flink up|down`, which `scripts/flink` calls.

One job manager, two task managers, a pool of Beam workers for each of these, and Beam's job server. A job names
one address for the workers of all task managers, `saiten-workers:50050`; each of them looks that name up in a file
of hosts of its own, and so finds its own pool.
"""

import functools
import json
import os
import pathlib
import shutil
import sys
import urllib.request
from typing import Any

from tests.clusters.install import BUILD, FLINK_VERSION, HERE, install_flink, install_worker
from tests.clusters.processes import ClusterError, is_running, kill, last_lines, listens, start, wait_for

HOST = "127.0.0.1"
RPC_PORT, REST_PORT, BLOB_PORT, JOB_PORT, ARTIFACT_PORT, POOL_PORT = 18123, 18181, 18124, 18199, 18198, 50050
POOL_NAME = "saiten-workers"
POOL_HOSTS = ("127.0.0.11", "127.0.0.12")
# Each can carry the whole job, so that one alone goes on when the other is lost.
SLOTS = 2
FOLDER = BUILD / "flink"

_START_SECS = 120.0
# How often, and after how many seconds, a job that failed begins again: a Beam bundle that ends its worker
# whenever it is tried ends the job. Long enough that a task manager that was lost is known to be.
RESTARTS = 3
_RESTART_DELAY = "6 s"

JOB_MANAGER, JOB_SERVER = "job-manager", "job-server"
TASK_MANAGERS = ("task-manager-1", "task-manager-2")
POOLS = ("worker-pool-1", "worker-pool-2")

_CONFIG = {
    "jobmanager.rpc.address": HOST,
    "jobmanager.rpc.port": RPC_PORT,
    "jobmanager.bind-host": HOST,
    "rest.address": HOST,
    "rest.bind-address": HOST,
    "rest.port": REST_PORT,
    "blob.server.port": BLOB_PORT,
    "taskmanager.host": HOST,
    "taskmanager.bind-host": HOST,
    "taskmanager.numberOfTaskSlots": SLOTS,
    "cluster.evenly-spread-out-slots": "true",
    "parallelism.default": 2,
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": RESTARTS,
    "restart-strategy.fixed-delay.delay": _RESTART_DELAY,
    # One that was killed is missed by its connection, in two beats; a busy machine is not taken for a lost one.
    "heartbeat.interval": 2000,
    "heartbeat.timeout": 300000,
    "pekko.ask.timeout": "120 s",
    "web.cancel.enable": "true",
    # Flink's own scripts would work these out; without them every part has to be said.
    "taskmanager.cpu.cores": 1,
    # The network is large enough for both halves of a job, when one task manager carries them alone.
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.task.heap.size": "384m",
    "taskmanager.memory.task.off-heap.size": "64m",
    "taskmanager.memory.managed.size": "128m",
    "taskmanager.memory.network.min": "160m",
    "taskmanager.memory.network.max": "160m",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
}
_OPENED = (
    "java.base/java.lang java.base/java.net java.base/java.io java.base/java.nio java.base/java.text "
    "java.base/java.time java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic "
    "java.base/java.util.concurrent.locks java.base/java.lang.reflect java.base/sun.nio.ch java.base/sun.net.util"
)
_LOGGING = """rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %c{1} - %m%n
"""


def flags(parallelism: int = 2) -> list[str]:
    """Returns what sends a job of `saiten score` to this cluster."""
    return [
        "--runner=PortableRunner",
        f"--job_endpoint={HOST}:{JOB_PORT}",
        "--environment_type=EXTERNAL",
        f"--environment_config={POOL_NAME}:{POOL_PORT}",
        f"--parallelism={parallelism}",
    ]


def up() -> None:
    """Starts what does not run yet, and returns when jobs are taken.

    Raises:
        ClusterError: Something is missing or did not start; names it.
    """
    install_flink()
    install_worker()
    for name, port in ((JOB_MANAGER, REST_PORT), (JOB_SERVER, JOB_PORT)):
        if not is_running(FOLDER, name) and listens(f"{HOST}:{port}"):
            raise ClusterError(f"port {port} of the {name} is taken by another process")
    for name in (*POOLS, JOB_MANAGER, *TASK_MANAGERS, JOB_SERVER):
        start_part(name)
    wait_until_whole()


def start_part(name: str) -> None:
    """Starts one of the cluster's processes, unless it runs."""
    if not is_running(FOLDER, name):
        start(FOLDER, name, _command(name), _environment(name))


def kill_part(name: str) -> None:
    """Ends one of the cluster's processes, as a machine that dies would; a pool's workers end with it."""
    kill(FOLDER, name)


def wait_until_whole() -> None:
    """Returns when both task managers, both pools and the job server are there."""
    for name, address in (
        *((pool, f"{host}:{POOL_PORT}") for pool, host in zip(POOLS, POOL_HOSTS, strict=True)),
        (JOB_SERVER, f"{HOST}:{JOB_PORT}"),
    ):
        wait_for(functools.partial(_is_up, name, address), f"the {name} does not listen", _START_SECS)
    wait_for(_are_all_up, "the task managers have not all come", _START_SECS)


def down() -> None:
    """Ends all of the cluster's processes; those that are gone already are no error."""
    for name in (JOB_SERVER, *TASK_MANAGERS, JOB_MANAGER, *POOLS):
        kill(FOLDER, name)


def jobs() -> dict[str, str]:
    """Returns the state of each job that the cluster has had, by its id."""
    return {job["id"]: job["status"] for job in rest("/jobs")["jobs"]}


def rest(path: str) -> Any:
    """Returns what Flink's REST interface says."""
    with urllib.request.urlopen(f"http://{HOST}:{REST_PORT}{path}", timeout=10) as answer:
        return json.load(answer)


def _is_up(name: str, address: str) -> bool:
    _refuse_ended(name)
    return listens(address)


def _are_all_up() -> bool:
    _refuse_ended(JOB_MANAGER, *TASK_MANAGERS)
    try:
        return len(rest("/taskmanagers")["taskmanagers"]) == len(TASK_MANAGERS)
    except (OSError, ValueError):
        return False


def _refuse_ended(*names: str) -> None:
    for name in names:
        if not is_running(FOLDER, name):
            raise ClusterError(f"the {name} ended at once: {last_lines(FOLDER, name)}")


def _command(name: str) -> list[str]:
    if name in POOLS:
        python = BUILD / "worker" / "bin" / "python"
        return [str(python), "-P", str(HERE / "worker_pool.py"), POOL_HOSTS[POOLS.index(name)], str(POOL_PORT)]
    flink, beam = install_flink()
    config = _write_config(name)
    package = "org.apache.flink.runtime"
    if name == JOB_MANAGER:
        main = [f"{package}.entrypoint.StandaloneSessionClusterEntrypoint", f"--configDir={config}"]
        return _java(config, [flink], "512m", [*main, "--executionMode=cluster"])
    if name in TASK_MANAGERS:
        return _java(config, [flink], "512m", [f"{package}.taskexecutor.TaskManagerRunner", f"--configDir={config}"])
    # Without flink-dist: the job server sends its whole class path along with each job.
    main = [
        "org.apache.beam.runners.flink.FlinkJobServerDriver",
        f"--flink-master={HOST}:{REST_PORT}",
        f"--job-host={HOST}",
        f"--job-port={JOB_PORT}",
        f"--artifact-port={ARTIFACT_PORT}",
        "--expansion-port=0",
        f"--artifacts-dir={_emptied(FOLDER / 'artifacts')}",
        f"--flink-conf-dir={config}",
    ]
    return _java(config, [*flink.glob("log4j-*.jar"), beam], "512m", main)


def _java(config: pathlib.Path, jars: list[pathlib.Path], heap: str, main: list[str]) -> list[str]:
    class_path = ":".join(str(path / "*" if path.is_dir() else path) for path in jars)
    opened = [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED.split()]
    limits = [f"-Xmx{heap}", "-XX:MaxMetaspaceSize=256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    settings = [f"-Djdk.net.hosts.file={config / 'hosts'}", f"-Dlog4j.configurationFile={config / 'log4j.properties'}"]
    return ["java", *limits, *opened, *settings, "-cp", class_path, *main]


def _write_config(name: str) -> pathlib.Path:
    folder = FOLDER / f"{name}.conf"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = _emptied(FOLDER / f"{name}.tmp")
    config = {**_CONFIG, "io.tmp.dirs": temporary, "taskmanager.resource-id": name}
    (folder / "flink-conf.yaml").write_text("".join(f"{key}: {value}\n" for key, value in config.items()))
    (folder / "log4j.properties").write_text(_LOGGING)
    pool = POOL_HOSTS[TASK_MANAGERS.index(name)] if name in TASK_MANAGERS else HOST
    (folder / "hosts").write_text(f"{HOST} localhost\n{pool} {POOL_NAME}\n")
    return folder


def _environment(name: str) -> dict[str, str]:
    if name not in POOLS:
        return {}
    # The pool starts its workers as plain `python`, which would look for modules in the folder it stands in first.
    path = f"{BUILD / 'worker' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}


def _emptied(folder: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def main(arguments: list[str]) -> int:
    """Starts or stops the cluster."""
    if arguments not in (["up"], ["down"]):
        print("flink: say up or down.", file=sys.stderr)
        return 2
    if arguments == ["down"]:
        down()
        return 0
    try:
        up()
    except ClusterError as error:
        print(f"flink: {error}.", file=sys.stderr)
        return 1
    print(f"Flink {FLINK_VERSION} runs at http://{HOST}:{REST_PORT}; jobs are sent to it by")
    print(f"  saiten score … {' '.join(flags())}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
