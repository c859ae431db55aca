"""Beam's Prism on the loopback, and Beam workers from the installed wheel for it."""

import os

from tests.clusters.emulator import ENVIRONMENT
from tests.clusters.install import BUILD, HERE, install_prism, install_worker
from tests.clusters.processes import kill, listens, start, wait_for

HOST, JOB_PORT, POOL_PORT = "127.0.0.1", 18299, 50060
FOLDER = BUILD / "prism"
_START_SECS = 60.0


def flags() -> list[str]:
    """Returns what sends a job of `saiten score` to Prism."""
    return [
        "--runner=PortableRunner",
        f"--job_endpoint={HOST}:{JOB_PORT}",
        "--environment_type=EXTERNAL",
        f"--environment_config={HOST}:{POOL_PORT}",
    ]


def up() -> None:
    """Starts Prism and a pool of workers, and returns when jobs are taken."""
    prism, worker = install_prism(), install_worker()
    path = f"{worker / 'bin'}{os.pathsep}{os.environ['PATH']}"
    pool = [str(worker / "bin" / "python"), "-P", str(HERE / "worker_pool.py"), HOST, str(POOL_PORT)]
    start(FOLDER, "worker-pool", pool, {**ENVIRONMENT, "PATH": path, "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"})
    start(FOLDER, "prism", [str(prism), f"--job_port={JOB_PORT}", "--web_port=0", "--serve_http=false"])
    for port in (JOB_PORT, POOL_PORT):
        wait_for(lambda port=port: listens(f"{HOST}:{port}"), f"nobody listens on {port}", _START_SECS)  # type: ignore[misc]


def down() -> None:
    """Ends both."""
    for name in ("prism", "worker-pool"):
        kill(FOLDER, name)
