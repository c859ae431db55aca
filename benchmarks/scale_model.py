"""What was measured of small runs, carried on to large ones: straight lines, as the page says."""

import math
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

Rows = Mapping[str, Sequence[Mapping[str, float]]]

_MIB = 1 << 20
# As `saiten.pipelines.reading.plan` cuts: 64 ranges, but of 4 MiB at least and 64 MiB at most.
_RANGES, _LEAST_BYTES, _MOST_BYTES = 64, 4 * _MIB, 64 * _MIB
_RECORD_BYTES = 100
_RECORDS = (10**6, 10**7, 10**8, 10**9, 10**10)
_MANY_FILES = 100_000


def render(rows: Rows) -> str:
    """Returns the tables of the page."""
    return "\n\n".join("\n".join(table) for table in (_measured(rows), _carried_on(rows)))


def n_ranges(total_bytes: int) -> int:
    """Returns into how many ranges one file of that size is cut, or many that fill them."""
    return max(1, math.ceil(total_bytes / _MOST_BYTES), min(_RANGES, total_bytes // _LEAST_BYTES))


def carried_on(rows: Sequence[Mapping[str, float]], x: str, y: str, at: float) -> float:
    """Returns `y` where `x` is `at`: between what was measured, or on the line through the two largest beyond it."""
    xs, ys = ([row[name] for row in rows] for name in (x, y))
    if at <= xs[-1]:
        return float(np.interp(at, xs, ys))
    return ys[-1] + max(0.0, (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])) * (at - xs[-1])


def shuffled_bytes(rows: Rows, records: float) -> float:
    """Returns how many bytes a range of so many records sends to the commit."""
    return rows["records"][-1]["summary_bytes"] + carried_on(rows["records"], "records", "statistics_bytes", records)


def _measured(rows: Rows) -> Iterator[str]:
    yield "| measured | files | ranges | CPU | bytes |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows["files"]:
        cpu, size = row["plan_cpu_secs"], row["plan_bytes"]
        peak = f"{row['peak_mib']:,.0f} MiB, the process"
        yield f"| planning | {row['files']:,.0f} | {row['ranges']:,.0f} | {cpu:.3f} s | {size:,.0f}, the plan; {peak} |"
    for row in rows["ranges"]:
        cpu, size = row["commit_cpu_secs"], row["manifest_bytes"]
        yield f"| commit | 1 | {row['ranges']:,.0f} | {cpu:.3f} s | {size:,.0f}, the manifest |"
    for row in rows["records"]:
        size = row["summary_bytes"] + row["statistics_bytes"]
        yield f"| shuffle | 1 | 1 of {row['records']:,.0f} records | | {size:,.0f}, summary and statistics |"


def _carried_on(rows: Rows) -> Iterator[str]:
    yield "| records | input | ranges | output files | shuffled a record | CPU of the commit | manifest |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for records in _RECORDS:
        total = records * _RECORD_BYTES
        ranges = n_ranges(total)
        sent = shuffled_bytes(rows, records / ranges) * ranges / records
        commit, manifest = (
            carried_on(rows["ranges"], "ranges", name, ranges) for name in ("commit_cpu_secs", "manifest_bytes")
        )
        yield (
            f"| {records:,} | {total / 1e9:,.1f} GB | {ranges:,} | {ranges:,} to {2 * ranges:,} | {sent:.2g} bytes | "
            f"{commit:,.1f} s | {manifest / 1e6:,.2f} MB |"
        )
    plan, size = (carried_on(rows["files"], "files", name, _MANY_FILES) for name in ("plan_cpu_secs", "plan_bytes"))
    yield f"| {_MANY_FILES:,} files | | | | | {plan:,.1f} s to plan | {size / 1e6:,.0f} MB, the plan |"


def draw(rows: Rows, path: pathlib.Path) -> None:
    """Draws what was measured, and the lines that carry it on."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "saiten"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
    for axis, (kind, x, y, title, end) in zip(
        axes,
        (
            ("files", "files", "plan_cpu_secs", "seconds of CPU to plan", 1e6),
            ("ranges", "ranges", "commit_cpu_secs", "seconds of CPU to commit", 1e5),
            ("records", "records", "statistics_bytes", "bytes that a range sends to the commit", 1e6),
        ),
        strict=True,
    ):
        xs, ys = ([row[name] for row in rows[kind]] for name in (x, y))
        axis.loglog(xs, ys, "o-", color="#3b6ea5", label="measured")
        axis.loglog(
            [xs[-1], end], [ys[-1], carried_on(rows[kind], x, y, end)], "--", color="#c0603b", label="carried on"
        )
        axis.set_xlabel("records in a range" if kind == "records" else x)
        axis.set_title(title, fontsize=10)
        axis.grid(visible=True, alpha=0.3)
    axes[0].legend()
    figure.savefig(path, metadata={"Date": None})
