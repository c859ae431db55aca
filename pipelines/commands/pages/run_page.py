"""A run as a page."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from saiten.model.counted import counted
from saiten.pipelines import storage
from saiten.pipelines.code_meanings import MEANINGS
from saiten.pipelines.commands.pages.rows import MAX_LISTED, InspectPage, Row, nested_rows, shortened
from saiten.pipelines.reports.verdict import outcome_sentence, verdict_of
from saiten.pipelines.run.layout import REPORT
from saiten.pipelines.run.run_manifest import RunManifest, counts_line, parts_line


def run_page(directory: str, manifest: RunManifest, *, is_whole: bool) -> InspectPage:
    """Returns what a run says of itself."""
    state = "is a whole run" if is_whole else "is no result: it has no _SUCCESS"
    return InspectPage(
        f"{directory} {state}. {outcome_sentence(manifest)}",
        verdict_of(manifest),
        list(_rows(directory, manifest)),
        None,
        list(_details(manifest)),
        asdict(manifest),
    )


def _rows(directory: str, manifest: RunManifest) -> Iterable[Row]:
    counts = manifest.counts
    yield "records", f"{counts.records:,} = {parts_line(counts)}"
    about = "" if manifest.duplicate_ids_exact else "about "
    yield "repeated ids", f"{about}{counts.duplicate_ids:,}"
    for i, (code, count) in enumerate(islice(manifest.dead_letter_codes.items(), MAX_LISTED)):
        meaning = f": {MEANINGS[code]}" if code in MEANINGS else ""
        yield "" if i else "dead letters", f"{code} {count:,}{meaning}"
    rate = f", {counts.records / manifest.seconds:,.0f} records/s" if manifest.seconds > 0 else ""
    yield "time", f"{manifest.seconds:g} s{rate}, {manifest.started} to {manifest.finished}"
    yield "scores", f"{shortened(list(manifest.outputs_scored))}; {manifest.engine} engine"
    if manifest.statistics and manifest.statistics.segmentation.sentence:
        yield "words", manifest.statistics.segmentation.sentence
    yield "input", _of_files(len(manifest.inputs), sum(file.bytes for file in manifest.inputs))
    yield "output", _of_files(len(manifest.outputs), sum(part.bytes for part in manifest.outputs))
    yield "report", f"{storage.join(directory, REPORT)}, for the browser"
    yield "run_id", manifest.run_id


def _of_files(n: int, n_bytes: int) -> str:
    size = f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:,.1f} KB"
    return f"{counted(n, 'file')}, {size}"


def _details(manifest: RunManifest) -> Iterable[Row]:
    yield "bundle_id", manifest.bundle_id
    yield from nested_rows("versions", manifest.versions)
    yield from nested_rows("settings", manifest.settings)
    for file in manifest.inputs[:MAX_LISTED]:
        yield "input", f"{file.source}: {counts_line(file, {})}"
    for part in manifest.outputs[:MAX_LISTED]:
        yield "output", f"{part.path}: {counted(part.rows, 'row')}, {part.bytes:,} bytes"
    hidden = sum(max(0, len(files) - MAX_LISTED) for files in (manifest.inputs, manifest.outputs))
    if hidden:
        yield "", f"… and {counted(hidden, 'more file')} in manifest.json"


def misshapen_page(directory: str, problem: str, fields: Mapping[str, Any]) -> InspectPage:
    """Returns what a manifest says that is of another shape than a run's."""
    rows = [row for name, value in fields.items() for row in nested_rows(name, value)]
    return InspectPage(f"{directory} holds a damaged run: {problem}.", None, rows, None, (), fields)
