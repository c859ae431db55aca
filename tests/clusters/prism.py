"""Beam's Prism on the loopback, and Beam workers from the installed wheel for it."""

import functools
import os

from tests.clusters.emulator import environment
from tests.clusters.install import PROGRAMS, install_prism, install_worker
from tests.clusters.processes import BUILD, HOST, kill, listens, port, start, wait_for

FOLDER = BUILD / "prism"
_START_SECS = 60.0


def flags() -> list[str]:
    """Returns what sends a job of `saiten score` to Prism."""
    return [
        "--runner=PortableRunner",
        f"--job_endpoint={HOST}:{port('prism-jobs')}",
        "--environment_type=EXTERNAL",
        f"--environment_config={HOST}:{port('prism-pool')}",
    ]


def up() -> None:
    """Starts Prism and a pool of workers, and returns when jobs are taken."""
    prism, worker = install_prism(), install_worker()
    path = f"{worker / 'bin'}{os.pathsep}{os.environ['PATH']}"
    pool = [str(worker / "bin" / "python"), "-P", str(PROGRAMS / "worker_pool.py"), HOST, str(port("prism-pool"))]
    start(
        FOLDER,
        "worker-pool",
        pool,
        {**environment(), "PATH": path, "PYTHONPATH": "", "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"},
    )
    start(FOLDER, "prism", [str(prism), f"--job_port={port('prism-jobs')}", "--web_port=0", "--serve_http=false"])
    for name in ("prism-jobs", "prism-pool"):
        address = f"{HOST}:{port(name)}"
        wait_for(functools.partial(listens, address), f"nobody listens at {address}", _START_SECS)


def down() -> None:
    """Ends both."""
    for name in ("prism", "worker-pool"):
        kill(FOLDER, name)
