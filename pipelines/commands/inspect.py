"""`saiten inspect`: a bundle or a run as a short page."""

import argparse
import pathlib
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saiten.model.bundle.bundle import Bundle

_MAX_LISTED = 20
_MAX_NAME_WIDTH = 40

# Some hundred bytes for each file read and written: those of a million.
_MAX_RUN_MANIFEST_BYTES = 256 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `saiten inspect`."""
    parser.add_argument("directory", metavar="DIR", help="a bundle, or the output of a run")


def run(args: argparse.Namespace) -> int:
    """Shows the directory's manifest; returns 0.

    Raises:
        UsageError: The directory is neither a bundle nor a run.
    """
    from saiten.model.bundle.bundle_files import BUNDLE_MANIFEST, MAX_BYTES
    from saiten.model.errors import UsageError
    from saiten.pipelines.steps.scoring_bundle import opened_bundle
    from saiten.pipelines.terminal import make_console

    directory: str = args.directory
    # A pipe has no width of its own, and 80 columns cut a sha256.
    console = make_console(None if sys.stdout.isatty() else 120)
    names = _names(directory)
    try:
        if names & (MAX_BYTES.keys() - {BUNDLE_MANIFEST}):
            with opened_bundle(directory, trusted=True) as bundle:
                _print_page(console, _bundle_rows(directory, bundle))
        else:
            manifest = _read_run(directory, has_manifest=BUNDLE_MANIFEST in names)
            _print_page(console, _run_rows(directory, manifest, whole="_SUCCESS" in names))
    except RecursionError as error:
        raise UsageError(f"The manifest in {directory} is nested too deep to be shown.") from error
    return 0


def _names(directory: str) -> set[str]:
    """Returns what lies in the directory; nothing where there is none."""
    from saiten.model.errors import UsageError
    from saiten.pipelines import storage

    try:
        if storage.is_remote(directory):
            return {path.removeprefix(storage.join(directory, "")) for path in storage.list_files(directory)}
        return {path.name for path in pathlib.Path(directory).iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise UsageError(f"{directory} cannot be read: {error}.") from error


def _read_run(directory: str, *, has_manifest: bool) -> dict[str, Any]:
    from saiten.model.bundle.bundle_files import is_plain
    from saiten.model.errors import UsageError
    from saiten.pipelines import storage
    from saiten.pipelines.run.layout import MANIFEST
    from saiten.pipelines.run.run_manifest import read_manifest

    path = storage.join(directory, MANIFEST)
    if not has_manifest or not (storage.is_remote(path) or is_plain(pathlib.Path(path))):
        raise UsageError(f"{directory} is neither a bundle nor a committed run: it has no {MANIFEST}.")
    if not storage.is_remote(path) and pathlib.Path(path).stat().st_size > _MAX_RUN_MANIFEST_BYTES:
        raise UsageError(f"{path} is larger than {_MAX_RUN_MANIFEST_BYTES} bytes.")
    try:
        manifest = read_manifest(directory)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    if manifest is None:
        raise UsageError(f"{path} has gone.")
    return manifest


def _print_page(console: Any, rows: Iterable[tuple[str, str]]) -> None:
    from rich.table import Table

    from saiten.pipelines.terminal import escape

    page = Table.grid(padding=(0, 2))
    page.add_column(style="bold", no_wrap=True, max_width=_MAX_NAME_WIDTH)
    page.add_column(overflow="fold")
    for name, value in rows:
        page.add_row(escape(name), escape(value))
    console.print(page)


def _bundle_rows(directory: str, bundle: "Bundle") -> Iterable[tuple[str, str]]:
    manifest, settings, proof = bundle.manifest, bundle.manifest.encoder, bundle.manifest.invariance
    tokenizer = settings.tokenizer
    yield "bundle", f"{directory}: sizes, hashes and proof hold"
    yield "bundle_id", bundle.bundle_id
    yield "outputs", ", ".join(bundle.outputs)
    yield "network", " > ".join(manifest.network)
    yield "engines", "packed, keras" if bundle.has_packed else f"keras ({bundle.why_not_packed})"
    yield (
        "tokenizer",
        (
            f"{tokenizer.dictionary} {settings.dictionary_version}, normalization {tokenizer.normalization}"
            + (", lower-cased" if tokenizer.lower else "")
            + (", filtered" if tokenizer.filters else "")
        ),
    )
    yield "vocabulary", f"{settings.num_words:,} ids, OOV words: {settings.oov}"
    yield "sequences", f"at most {settings.max_sequence_length:,} ids, truncating {settings.truncating}"
    yield (
        "padding",
        (
            f"not read: {proof.texts} texts at {len(proof.sequence_lengths)} widths differ by "
            f"{proof.largest_difference:.1e} at most"
        ),
    )
    training = dict(manifest.training)
    training_settings = _object(training.pop("settings", None))
    yield from _nested("epochs", _epochs(training.pop("epochs", None)))
    yield from _nested("training", training)
    yield from _nested("settings", {name: value for name, value in training_settings.items() if name != "tokenizer"})
    yield from _nested("libraries", manifest.libraries)
    for name, file in manifest.files.items():
        yield name, f"{file.bytes:,} bytes, sha256 {file.sha256[:12]}…"


def _run_rows(directory: str, manifest: Mapping[str, Any], *, whole: bool) -> Iterable[tuple[str, str]]:
    yield "run", f"{directory}{'' if whole else ': no _SUCCESS, this is no result'}"
    yield "run_id", str(manifest["run_id"])
    yield "bundle_id", str(manifest.get("bundle_id"))
    counts, codes = _object(manifest.get("counts")), _object(manifest.get("dead_letter_codes"))
    yield "records", ", ".join(f"{name} {_short(value)}" for name, value in counts.items() if isinstance(value, int))
    if codes:
        yield "dead letters", ", ".join(f"{code} {_short(count)}" for code, count in codes.items())
    yield "time", f"{manifest.get('seconds')} s, {manifest.get('started')} to {manifest.get('finished')}"
    for name in ("engine", "outputs_scored", "versions", "settings", "options"):
        yield from _nested(name, manifest.get(name))
    inputs, files = (_objects(manifest.get(name)) for name in ("inputs", "outputs"))
    for entry in inputs[:_MAX_LISTED]:
        records, scored, empty, dead = (_short(entry.get(name, 0)) for name in ("records", "scored", "empty", "dead"))
        yield "input", f"{entry.get('source')}: {records} records = {scored} scored + {empty} empty + {dead} dead"
    for entry in files[:_MAX_LISTED]:
        yield (
            "output",
            f"{entry.get('path')}: {_short(entry.get('rows', 0))} rows, {_short(entry.get('bytes', 0))} bytes",
        )
    hidden = max(0, len(inputs) - _MAX_LISTED) + max(0, len(files) - _MAX_LISTED)
    if hidden:
        yield "", f"… and {hidden:,} more files in manifest.json"


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _nested(name: str, value: Any) -> Iterable[tuple[str, str]]:
    """Gives settings that belong together one row, nested ones a row each; leaves out what is not set."""
    if not isinstance(value, Mapping):
        if value not in (None, "", []):
            yield name, _short(value)
        return
    plain = {key: item for key, item in value.items() if not isinstance(item, Mapping) and item not in (None, "", [])}
    if plain:
        yield name, ", ".join(f"{key} {_short(item)}" for key, item in plain.items())
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _nested(f"{name}.{key}", item)


def _epochs(epochs: Any) -> str:
    """Says how long the training was and what its best epoch reached."""
    if not isinstance(epochs, list) or not epochs or not all(isinstance(epoch, Mapping) for epoch in epochs):
        return ""
    best = next((epoch for epoch in reversed(epochs) if epoch.get("is_best")), epochs[-1])
    loss = _short(best.get("held_out_loss"))
    return f"{len(epochs)}; number {_short(best.get('epoch'))} was the best and is kept: held-out loss {loss}"


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_short, value[:_MAX_LISTED])) + (", …" if len(value) > _MAX_LISTED else "")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
