"""Jobs of `saiten score` as a person starts them, and their results beside those of this machine."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import grpc
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
from apache_beam.runners.portability.portable_metrics import from_monitoring_infos

from saiten.pipelines.run.notes.job_note import read_job_note
from saiten.pipelines.run.results import read_scores
from saiten.pipelines.run.run_manifest import RunManifest, read_run_manifest
from saiten.pipelines.run.windows.window_manifest import WindowManifest
from tests.clusters.processes import ClusterError, wait_for

# Far above what a busy machine of two cores needs.
_JOB_SECS, _ASK_SECS = 240.0, 20.0
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Ended:
    """How a command ended, its last line on standard error, and the number of its job."""

    exit_code: int
    said: str
    job: str = ""


def program() -> list[str]:
    """Returns what `saiten score` is here."""
    return [sys.executable, "-m", "saiten.pipelines.commands.main", "score"]


def command(articles: pathlib.Path, bundle: pathlib.Path, output: pathlib.Path, *flags: str) -> list[str]:
    """Returns the command that scores the corpus."""
    return [*program(), "--id_field=id", f"--input={articles}", f"--bundle={bundle}", f"--output={output}", *flags]


def score(articles: pathlib.Path, bundle: pathlib.Path, output: pathlib.Path, *flags: str) -> Ended:
    """Scores the corpus, and returns when that has ended."""
    with started(articles, bundle, output, *flags) as process:
        return end_of(process)


@contextlib.contextmanager
def started(
    articles: pathlib.Path, bundle: pathlib.Path, output: pathlib.Path, *flags: str
) -> Iterator["subprocess.Popen[str]"]:
    """Runs the command while the block runs."""
    asked = command(articles, bundle, output, *flags)
    with subprocess.Popen(asked, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def end_of(process: "subprocess.Popen[str]") -> Ended:
    """Waits for the command's end."""
    wait_for(lambda: process.poll() is not None, "the command does not end", _JOB_SECS)
    _, said = process.communicate()
    job = re.search(r"the job \S+ \((?P<id>\S+)\) of", said)
    return Ended(process.returncode, said.strip().rpartition("\n")[2], job["id"] if job else "")


def metrics_of(job: str, flags: Sequence[str]) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
    """Returns what a job server tells of a job that has ended or goes on.

    Args:
        flags: Those that sent it there.

    Returns:
        The counters; the distributions, each as how many values there were and their sum.
    """
    (address,) = (flag.partition("=")[2] for flag in flags if flag.startswith("--job_endpoint="))
    request = beam_job_api_pb2.GetJobMetricsRequest(job_id=job)
    with grpc.insecure_channel(address) as channel:
        told = beam_job_api_pb2_grpc.JobServiceStub(channel).GetJobMetrics(request, timeout=_ASK_SECS).metrics
    counters, distributions = from_monitoring_infos(list(told.committed) or list(told.attempted))[:2]
    summed: dict[str, int] = {}
    for key, value in counters.items():
        if key.metric.namespace == "saiten":
            summed[key.metric.name] = summed.get(key.metric.name, 0) + value
    ours = {key.metric.name: value for key, value in distributions.items() if key.metric.namespace == "saiten"}
    return summed, {name: (value.count, value.sum) for name, value in ours.items()}


def metrics_of_stream(output: pathlib.Path, flags: Sequence[str]) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
    """Returns the same of the stream that goes on in an output directory."""
    (folder,) = (path.parent for path in output.glob("_work/*/job.json"))
    job = read_job_note(str(folder))
    assert job is not None
    return metrics_of(job.job_id, flags)


def counted_as_said(output: pathlib.Path, windows: Sequence[WindowManifest], flags: Sequence[str]) -> str:
    """Makes sure that a stream's metrics say what its windows' manifests say; returns that, in words."""
    codes = sum((Counter(manifest.dead_letter_codes) for manifest in windows), Counter[str]())
    counts = [manifest.counts for manifest in windows]
    expected = {
        "records-read": sum(each.records for each in counts) + sum(manifest.duplicates for manifest in windows),
        "records-scored": sum(each.scored for each in counts),
        "records-empty": sum(each.empty for each in counts),
        "records-dead-lettered": sum(each.dead for each in counts),
        **{f"dead-letters-{code.lower().replace('_', '-')}": n for code, n in codes.items()},
    }
    found: dict[str, int] = {}

    def are_equal() -> bool:
        counters = metrics_of_stream(output, flags)[0]
        found.update({name: n for name, n in counters.items() if name in expected or name.startswith("dead-letters-")})
        return found == expected

    with contextlib.suppress(ClusterError):
        wait_for(are_equal, "the counters do not come", _ASK_SECS)
    assert found == expected
    return f"{len(expected)} counters as in the manifests"


def wait_until_some_ranges_are_done(output: pathlib.Path, process: "subprocess.Popen[str]") -> None:
    """Returns in the middle of a run.

    Raises:
        ClusterError: It ended before, or did not come so far.
    """

    def is_so_far() -> bool:
        assert process.poll() is None, f"the run ended before it could be disturbed: {end_of(process).said}"
        return bool(list(output.glob("_work/*/range-*.json")))

    wait_for(is_so_far, "no range was done", _JOB_SECS)


def difference(output: pathlib.Path, expected: pa.Table) -> float:
    """Returns the largest difference between a run's scores and others', scaled by max(1, |score|).

    All else must be equal, row for row.
    """
    found = read_scores(str(output))
    assert found.num_rows == expected.num_rows, f"{found.num_rows} rows, not {expected.num_rows}"
    return _difference(found, expected)


def same_scores(found: pa.Table, local: pa.Table) -> float:
    """Returns the same of records that came from elsewhere: by their ids, each of which is there once."""
    ids = found["id"].to_pylist()
    assert len(set(ids)) == len(ids), f"{len(ids) - len(set(ids))} records are there twice"
    expected = local.filter(pc.is_in(local["id"], found["id"])).drop_columns(["source", "position"])
    assert expected.num_rows == len(ids), f"{len(ids) - expected.num_rows} records are not the corpus's"
    return _difference(found, expected)


def _difference(found: pa.Table, expected: pa.Table) -> float:
    ours_by_id, theirs_by_id, largest = found.sort_by("id"), expected.sort_by("id"), 0.0
    for name in expected.column_names:
        theirs, ours = theirs_by_id[name], ours_by_id[name]
        if name.startswith("score_"):
            exact, other = np.asarray(theirs, np.float64), np.asarray(ours, np.float64)
            largest = max(largest, float((np.abs(exact - other) / np.maximum(1, np.abs(exact))).max()))
        else:
            assert theirs.combine_chunks() == ours.combine_chunks(), f"column {name} differs"
    assert largest <= _TOLERANCE, f"the scores differ by {largest:.1e}"
    return largest


def manifest_of(output: pathlib.Path) -> RunManifest:
    """Returns the manifest of a committed run."""
    manifest = read_run_manifest(str(output))
    assert manifest is not None, f"{output} holds no committed run"
    return manifest


def only_run(output: pathlib.Path) -> None:
    """Makes sure that nothing is doubled or left over: the parts are those that the manifest names."""
    manifest = manifest_of(output)
    named = {part.path for part in manifest.outputs}
    lying = {str(path.relative_to(output)) for path in output.rglob("*.parquet")}
    assert lying == named, f"parts that do not count: {sorted(lying ^ named)}"
    assert (output / "_SUCCESS").is_file()
