"""On a cluster of two task managers the rows are those of one machine, whatever is killed on the way."""

import os
import pathlib
import signal
import subprocess
from collections.abc import Callable

import pyarrow as pa
import pytest

from tests.clusters import flink
from tests.clusters.flink_config import RESTARTS
from tests.clusters.jobs import (
    difference,
    end_of,
    manifest_of,
    only_run,
    score,
    started,
    wait_until_some_ranges_are_done,
)
from tests.clusters.processes import process_id, wait_for

pytestmark = pytest.mark.usefixtures("whole_cluster")

Figure = Callable[[str], None]
_END_SECS = 120.0


def workers() -> list[int]:
    """The worker processes of both pools."""
    listed = subprocess.run(["pgrep", "-f", "SdkHarness"], capture_output=True, text=True, check=False).stdout
    pools = {process_id(flink.FOLDER, pool) for pool in flink.POOLS}
    return [pid for pid in map(int, listed.split()) if os.getpgid(pid) in pools]


def task_managers_of(job: str) -> set[str]:
    """The task managers whose tasks took part in a job and read something."""
    found = set()
    for vertex in flink.rest(f"/jobs/{job}")["vertices"]:
        for subtask in flink.rest(f"/jobs/{job}/vertices/{vertex['id']}")["subtasks"]:
            if subtask["metrics"]["write-records"] and subtask["metrics"]["read-records"]:
                found.add(subtask["taskmanager-id"])
    return found


def test_flink_equal(
    articles: pathlib.Path,
    bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    local_run: pathlib.Path,
    local_scores: pa.Table,
    figure: Figure,
) -> None:
    output, before = tmp_path / "run", flink.jobs()
    ended = score(articles, bundle, output, *flink.flags())
    assert ended.exit_code == 0, ended.said
    largest = difference(output, local_scores)
    only_run(output)
    (job,) = flink.jobs().keys() - before.keys()
    both = task_managers_of(job)
    assert both == set(flink.TASK_MANAGERS), f"only {both} had work"
    rate, local_rate = (
        manifest.counts.records / manifest.seconds for manifest in map(manifest_of, (output, local_run))
    )
    figure(
        f"{local_scores.num_rows:,} rows, largest difference {largest:g}, on both task managers; "
        f"{rate:,.0f} records a second, {local_rate:,.0f} here with as many workers"
    )


@pytest.mark.parametrize("victim", ["task manager", "worker pool", "worker"])
def test_flink_killed(
    articles: pathlib.Path,
    bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    local_scores: pa.Table,
    figure: Figure,
    victim: str,
) -> None:
    output = tmp_path / "run"
    with started(articles, bundle, output, *flink.flags()) as process:
        wait_until_some_ranges_are_done(output, process)
        if victim == "worker":
            os.kill(workers()[0], signal.SIGKILL)
        else:
            part = flink.TASK_MANAGERS[0] if victim == "task manager" else flink.POOLS[0]
            flink.kill_part(part)
            flink.start_part(part)  # as what looks after a cluster does
        ended = end_of(process)
    assert ended.exit_code == 0, ended.said
    largest = difference(output, local_scores)
    only_run(output)
    figure(f"exact, largest difference {largest:g}")


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="interrupted"),
        pytest.param(signal.SIGTERM, id="terminated", marks=pytest.mark.thorough),
        pytest.param(signal.SIGKILL, id="killed"),
    ],
)
def test_flink_launcher(
    articles: pathlib.Path,
    bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    local_scores: pa.Table,
    figure: Figure,
    number: int,
) -> None:
    """What was said of the job is what happened to it; a job whose launcher was killed goes on."""
    output, before = tmp_path / "run", flink.jobs()
    with started(articles, bundle, output, *flink.flags()) as process:
        wait_until_some_ranges_are_done(output, process)
        process.send_signal(number)
        ended = end_of(process)
    (job,) = flink.jobs().keys() - before.keys()
    if number == signal.SIGKILL:
        wait_for((output / "_SUCCESS").is_file, "the job did not commit", _END_SECS)
        figure(f"the job committed, largest difference {difference(output, local_scores):g}")
        return
    assert ended.exit_code == 128 + number, ended.said
    assert "the job is cancelled, as its runner tells, and is fenced off: nothing was committed" in ended.said, (
        ended.said
    )
    # Beam's job server says so at once; what Flink still tries of it comes up against the fence.
    wait_for(lambda: flink.jobs()[job] in ("CANCELED", "FAILED"), "the job does not end", _END_SECS)
    assert not (output / "manifest.json").exists()
    resumed = score(articles, bundle, output, "--workers=2", "--resume")
    assert resumed.exit_code == 0, resumed.said
    only_run(output)
    figure(f"cancelled as it said, resumed here, largest difference {difference(output, local_scores):g}")


def test_flink_poison(articles: pathlib.Path, bundle: pathlib.Path, tmp_path: pathlib.Path, figure: Figure) -> None:
    """A Beam bundle that ends its worker whenever it is tried ends the job; it is not tried for ever."""
    output, before = tmp_path / "run", flink.jobs()
    ended = score(articles, bundle, output, "--batch_timeout_secs=0.001", *flink.flags())
    (job,) = flink.jobs().keys() - before.keys()
    assert flink.jobs()[job] == "FAILED"
    assert ended.exit_code == 1, ended.said
    assert "A batch took longer than --batch_timeout_secs=0.001; nothing was committed" in ended.said
    assert not (output / "manifest.json").exists()
    figure(f"the job failed after {RESTARTS} restarts, and says why")
