"""A launcher that ends at any moment on Flink: what was said is what happened; a job that is left can be followed."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Set

import pyarrow as pa
import pytest

from saiten.pipelines.run.results import read_scores
from tests.clusters import flink
from tests.clusters.jobs import Ended, end_of, only_run, program, same_scores, score, started
from tests.clusters.processes import HOST, ClusterError, port, wait_for

pytestmark = pytest.mark.usefixtures("whole_cluster")

Figure = Callable[[str], None]
RECORDS = 600
_COMMITTED = "the run is committed"
_END_SECS, _MOMENT_SECS = 240.0, 240.0
_OVER = ("CANCELED", "FAILED", "FINISHED")


@pytest.fixture(scope="module")
def few(articles: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Few enough that a job takes little more than its start."""
    path = tmp_path_factory.mktemp("few") / articles.name
    with articles.open("rb") as lines:
        path.write_bytes(b"".join(line for line, _ in zip(lines, range(RECORDS), strict=False)))
    return path


def is_being_submitted(output: pathlib.Path) -> bool:
    """The run has been planned for a second, and its runner has not said that it has the job, which takes ten."""
    return any(time.time() - path.stat().st_mtime > 1 for path in output.glob("_work/*/plan.json"))


def is_being_committed(output: pathlib.Path) -> bool:
    """The job has the directory's lock, which the launcher had before it planned, or its manifest is there."""
    is_planned = any(output.glob("_work/*/plan.json"))
    return (is_planned and (output / "_work" / "deciding").exists()) or (output / "manifest.json").exists()


MOMENTS = {"submitted": is_being_submitted, "committed": is_being_committed}
# One with every run; the others take four minutes.
CASES = [
    pytest.param(moment, number, id=f"{moment}-{number.name}", marks=() if is_quick else pytest.mark.thorough)
    for moment in MOMENTS
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
    for is_quick in [(moment, number) == ("committed", signal.SIGINT)]
]


@pytest.mark.parametrize(("moment", "number"), CASES)
def test_flink_launcher_ended_while(
    few: pathlib.Path,
    bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    local_scores: pa.Table,
    figure: Figure,
    moment: str,
    number: signal.Signals,
) -> None:
    output, before = tmp_path / "run", flink.jobs()
    with started(few, bundle, output, *flink.flags()) as process:

        def has_come() -> bool:
            assert process.poll() is None, f"the run ended before it could be disturbed: {end_of(process).said}"
            return MOMENTS[moment](output)

        wait_for(has_come, "the moment did not come", _MOMENT_SECS, poll_secs=0.005)
        process.send_signal(number)
        ended = end_of(process)
    assert ended.exit_code == (-number if number == signal.SIGKILL else 128 + number), ended.said
    is_committed = assert_as_said(output, ended, before.keys(), number)
    if is_committed:
        largest = difference_of(output, local_scores)
        figure(f"committed{'' if number == signal.SIGKILL else ', as it said'}; largest difference {largest:g}")
        return
    resumed = score(few, bundle, output, "--workers=2", "--resume")
    assert resumed.exit_code == 0, resumed.said
    n_jobs = len(flink.jobs().keys() - before.keys())
    figure(f"nothing committed, as it said, {n_jobs} jobs came; resumed, {difference_of(output, local_scores):g} apart")


def assert_as_said(output: pathlib.Path, ended: Ended, before: Set[str], number: int) -> bool:
    """Makes sure that what the launcher said has happened, when all its jobs are over; returns whether it committed."""
    if number != signal.SIGKILL:
        is_nothing = "nothing was committed" in ended.said
        assert (_COMMITTED in ended.said) != is_nothing, ended.said
    # A job that was on its way comes within seconds, or never.
    with contextlib.suppress(ClusterError):
        wait_for(lambda: flink.jobs().keys() - before, "no job came", 15.0)
    new = flink.jobs().keys() - before
    wait_for(lambda: all(flink.jobs()[job] in _OVER for job in new), "the jobs do not end", _END_SECS)
    is_committed = (output / "manifest.json").is_file()
    if number != signal.SIGKILL:
        assert is_committed == (_COMMITTED in ended.said), ended.said
    return is_committed


def difference_of(output: pathlib.Path, local_scores: pa.Table) -> float:
    """Returns the largest difference of a whole run, of which nothing is doubled or left over."""
    only_run(output)
    found = read_scores(str(output))
    assert found.num_rows == RECORDS
    return same_scores(found, local_scores)


def test_flink_no_wait(
    few: pathlib.Path, bundle: pathlib.Path, tmp_path: pathlib.Path, local_scores: pa.Table, figure: Figure
) -> None:
    """A job that nobody waits for goes on, then it is finished."""
    output = tmp_path / "run"
    left = score(few, bundle, output, "--no_wait", *flink.flags())
    assert left.exit_code == 0, left.said
    assert f"has begun; saiten inspect {output} tells how far it is." in left.said
    seen = inspected(output)
    assert "unfinished in progress" in seen or f"{output} is a whole run" in seen, seen
    wait_for((output / "_SUCCESS").is_file, "the job did not commit", _END_SECS)
    assert f"{output} is a whole run" in inspected(output)
    figure(f"in progress, then finished, largest difference {difference_of(output, local_scores):g}")


@pytest.mark.thorough
def test_flink_no_wait_cancelled(
    few: pathlib.Path, bundle: pathlib.Path, tmp_path: pathlib.Path, figure: Figure
) -> None:
    """Such a job that is cancelled at Flink itself is told from one that goes on."""
    other, before = tmp_path / "other", flink.jobs().keys()
    assert score(few, bundle, other, "--no_wait", *flink.flags()).exit_code == 0
    wait_for(lambda: flink.jobs().keys() - before, "no job came", _MOMENT_SECS)
    (job,) = flink.jobs().keys() - before
    cancel(job)
    wait_for(lambda: flink.jobs()[job] in _OVER, "the job does not end", _END_SECS)
    for path in other.rglob("_work/**/*"):
        os.utime(path, (time.time() - 3600,) * 2)
    told = inspected(other)
    # Beam's job server does not hear of the end of a job whose launcher has gone.
    assert (
        "unfinished abandoned: its job ended as" in told
        or "unfinished in progress by its job server's word, which may not have heard of its end: nothing was" in told
    ), told
    assert not (other / "manifest.json").exists()
    figure(f"told from one that goes on: {told.partition('unfinished ')[2][:90]}…")


def inspected(output: pathlib.Path) -> str:
    """Returns what `saiten inspect` says, its spaces as one."""
    command = [*program()[:-1], "inspect", str(output)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return " ".join((ended.stdout + ended.stderr).split())


def cancel(job: str) -> None:
    """Cancels a job at Flink itself, as a person at its page does."""
    url = f"http://{HOST}:{port('flink-rest')}/jobs/{job}?mode=cancel"
    urllib.request.urlopen(urllib.request.Request(url, method="PATCH"), timeout=10).close()
