"""How the plan, the commit and the manifest grow: `python -m benchmarks.scale --out=scale.json --page=docs/scale.md`.

Simulated: files of one short line each, ranges of a few records whose scores cost nothing. What is measured is what
a launcher, the commit and the description of the pipeline do about them.
"""

import argparse
import json
import pathlib
import pickle
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from benchmarks.report import fill_page
from benchmarks.scale_model import draw, render
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import WorkPlan, plan_work
from saiten.pipelines.records import ScoredBlock, SourceSpan, WorkRange
from saiten.pipelines.run.json_file import to_json
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.owner import write_owner
from saiten.pipelines.run.range_summary import RangeNote
from saiten.pipelines.run.run_plan import PlannedFile, RowSettings, RunPlan, record_plan
from saiten.pipelines.statistics.run_statistics import StatisticsPlan
from saiten.pipelines.steps.commit import CommitSettings, commit_run
from saiten.pipelines.steps.range_writer import RangeWriter

FILES = (10, 100, 1_000, 10_000, 100_000)
RANGES = (1, 10, 100, 1_000)
RECORDS = (100, 1_000, 10_000, 100_000)
_OUTPUTS = ("taste", "service")
_WRITTEN_AT_ONCE = 8


def measure() -> dict[str, list[dict[str, float]]]:
    """Returns a row for each number of files, of ranges, and of records in a range."""
    return {
        "files": [_in_folder(_measure_files, count) for count in FILES],
        "ranges": [_in_folder(_measure_ranges, count) for count in RANGES],
        "records": [_in_folder(_measure_records, count) for count in RECORDS],
    }


def _in_folder(measure_one: Callable[[pathlib.Path, int], dict[str, float]], count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="saiten-scale-") as folder:
        return measure_one(pathlib.Path(folder), count)


def _measure_files(folder: pathlib.Path, count: int) -> dict[str, float]:
    for i in range(count):
        (folder / f"{i:06d}.txt").write_bytes(b"a\n")
    began, cpu = time.monotonic(), time.process_time()
    plan = plan_work(str(folder), ReadOptions())
    secs, cpu_secs = time.monotonic() - began, time.process_time() - cpu
    recorded = to_json(_run_plan(plan))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "files": count,
        "plan_secs": secs,
        "plan_cpu_secs": cpu_secs,
        "plan_bytes": len(recorded),
        "ranges": len(plan.ranges),
        "peak_mib": peak / 1024,
    }


def _measure_ranges(folder: pathlib.Path, count: int) -> dict[str, float]:
    run, plan = _run(folder), _run_plan(_plan_of_ranges(count))
    write_owner(run.output, run.token)
    record_plan(run, plan)
    with ThreadPoolExecutor(_WRITTEN_AT_ONCE) as pool:
        notes = list(pool.map(lambda index: _write(run, index, 3), range(count)))
    summaries = [note.summary for note in notes]
    began, cpu = time.monotonic(), time.process_time()
    manifest = commit_run(CommitSettings(run, 1.0, {}), summaries, [notes[0].statistics])
    return {
        "ranges": count,
        "commit_secs": time.monotonic() - began,
        "commit_cpu_secs": time.process_time() - cpu,
        "manifest_bytes": (folder / "out" / "manifest.json").stat().st_size,
        "output_files": len(manifest.outputs),
        "summary_bytes": len(pickle.dumps(summaries[0])),
    }


def _measure_records(folder: pathlib.Path, count: int) -> dict[str, float]:
    run = _run(folder)
    write_owner(run.output, run.token)
    note = _write(run, 0, count)
    return {
        "records": count,
        "summary_bytes": len(pickle.dumps(note.summary)),
        "statistics_bytes": len(pickle.dumps(note.statistics)),
    }


def _run(folder: pathlib.Path) -> Run:
    ends = dict.fromkeys(_OUTPUTS, (0.0, 1.0))
    statistics = StatisticsPlan(ends, counts_ids=True)
    return Run("20261130T000000Z-00000000", str(folder / "out"), "b", _OUTPUTS, (), True, "token", 0, statistics)


def _write(run: Run, index: int, count: int) -> RangeNote:
    writer = RangeWriter(run, index)
    for block in _blocks(index, count):
        writer.add(block)
    return writer.close()


def _blocks(index: int, count: int) -> Iterator[ScoredBlock]:
    for start in range(0, count, 1_000):
        n = min(1_000, count - start)
        yield ScoredBlock(
            range_index=index,
            is_last=start + n == count,
            spans=(SourceSpan("a.txt", n, n),),
            positions=list(range(start, start + n)),
            ids=[f"{index}:{start + i}" for i in range(n)],
            n_bytes=100 * n,
            scores=np.random.default_rng(start).random((n, len(_OUTPUTS)), np.float32),
            is_empty=np.zeros(n, np.bool_),
            n_tokens=np.full(n, 20, np.int32),
            n_oov=np.ones(n, np.int32),
            truncated=np.zeros(n, np.bool_),
            raw_bytes=100 * n,
        )


def _plan_of_ranges(count: int) -> WorkPlan:
    return WorkPlan(ReadOptions(), {}, tuple(WorkRange(i, ()) for i in range(count)))


def _run_plan(plan: WorkPlan) -> RunPlan:
    settings = RowSettings(
        bundle_id="b",
        engine="packed",
        input_format="auto",
        encoding="utf-8",
        text_field="text",
        id_field=None,
        keep_fields=[],
        max_record_bytes=1,
        no_raw=False,
    )
    inputs = {source: PlannedFile(file.path, file.size, file.modified) for source, file in plan.files.items()}
    planned = RunPlan("20261130T000000Z-00000000", time.time(), settings, inputs, plan.ranges)
    return planned if inputs else replace(planned, inputs={"a.txt": PlannedFile("a.txt", 1, "1")})


def main() -> None:
    """Measures, writes the figures, and fills the page with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--page", type=pathlib.Path)
    args = parser.parse_args()
    rows = measure()
    args.out.write_text(json.dumps(rows, indent=1) + "\n")
    if args.page:
        args.page.write_text(fill_page(args.page.read_text(encoding="utf-8"), render(rows)), encoding="utf-8")
        draw(rows, args.page.with_suffix(".svg"))


if __name__ == "__main__":
    main()
