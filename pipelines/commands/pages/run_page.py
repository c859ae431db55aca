"""A run as a page."""

from collections.abc import Iterable, Mapping
from typing import Any

from saiten.pipelines.commands.pages.rows import MAX_LISTED, Row, nested_rows
from saiten.pipelines.run.run_manifest import RunManifest


def run_rows(directory: str, manifest: RunManifest, *, is_whole: bool) -> Iterable[Row]:
    """Yields what a run says of itself."""
    yield "run", f"{directory}{'' if is_whole else ': no _SUCCESS, this is no result'}"
    yield "run_id", manifest.run_id
    yield "bundle_id", manifest.bundle_id
    yield "records", ", ".join(f"{name} {count:,}" for name, count in vars(manifest.counts).items())
    codes = manifest.dead_letter_codes
    if codes:
        yield "dead letters", ", ".join(f"{code} {count:,}" for code, count in codes.items())
    yield "time", f"{manifest.seconds:g} s, {manifest.started} to {manifest.finished}"
    yield from nested_rows("engine", manifest.engine)
    yield from nested_rows("outputs_scored", list(manifest.outputs_scored))
    yield from nested_rows("versions", manifest.versions)
    yield from nested_rows("settings", manifest.settings)
    for file in manifest.inputs[:MAX_LISTED]:
        outcome = f"{file.scored:,} scored + {file.empty:,} empty + {file.dead:,} dead"
        yield "input", f"{file.source}: {file.records:,} records = {outcome}"
    for part in manifest.outputs[:MAX_LISTED]:
        yield "output", f"{part.path}: {part.rows:,} rows, {part.bytes:,} bytes"
    hidden = sum(max(0, len(files) - MAX_LISTED) for files in (manifest.inputs, manifest.outputs))
    if hidden:
        yield "", f"… and {hidden:,} more files in manifest.json"


def misshapen_rows(directory: str, problem: str, fields: Mapping[str, Any]) -> Iterable[Row]:
    """Yields what a manifest says that is of another shape than a run's."""
    yield "run", f"{directory}: {problem}"
    for name, value in fields.items():
        yield from nested_rows(name, value)
