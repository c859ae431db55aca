"""What Flink's processes are told: the settings of a small cluster, and how Java is started."""

import pathlib
import shutil

from tests.clusters.processes import HOST, port

# Each task manager can carry the whole job, so that one alone goes on when the other is lost.
_SLOTS = 2
# How often, and after how many seconds, a job that failed begins again: a Beam bundle that ends its worker
# whenever it is tried ends the job. Long enough that a task manager that was lost is known to be.
RESTARTS = 3
_RESTART_DELAY = "6 s"
_SETTINGS = {
    "jobmanager.rpc.address": HOST,
    "jobmanager.bind-host": HOST,
    "rest.address": HOST,
    "rest.bind-address": HOST,
    "taskmanager.host": HOST,
    "taskmanager.bind-host": HOST,
    "taskmanager.numberOfTaskSlots": _SLOTS,
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


def write_config(folder: pathlib.Path, name: str, hosts: str) -> pathlib.Path:
    """Writes the settings of one process; returns the folder that holds them.

    Args:
        hosts: The lines of the file of hosts that its Java looks names up in.
    """
    config = folder / f"{name}.conf"
    config.mkdir(parents=True, exist_ok=True)
    settings = {
        **_SETTINGS,
        "jobmanager.rpc.port": port("flink-rpc"),
        "rest.port": port("flink-rest"),
        "blob.server.port": port("flink-blobs"),
        "io.tmp.dirs": emptied(folder / f"{name}.tmp"),
        "taskmanager.resource-id": name,
    }
    (config / "flink-conf.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    (config / "log4j.properties").write_text(_LOGGING)
    (config / "hosts").write_text(hosts)
    return config


def java(config: pathlib.Path, jars: list[pathlib.Path], main: list[str]) -> list[str]:
    """Returns the command that runs a Java program with the settings of a folder."""
    class_path = ":".join(str(path / "*" if path.is_dir() else path) for path in jars)
    opened = [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED.split()]
    limits = ["-Xmx512m", "-XX:MaxMetaspaceSize=256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    settings = [f"-Djdk.net.hosts.file={config / 'hosts'}", f"-Dlog4j.configurationFile={config / 'log4j.properties'}"]
    return ["java", *limits, *opened, *settings, "-cp", class_path, *main]


def emptied(folder: pathlib.Path) -> pathlib.Path:
    """Returns the folder, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
