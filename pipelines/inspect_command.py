"""`saiten inspect`: a bundle or a run as a short page."""

import argparse
import json
import pathlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

_MAX_LISTED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `saiten inspect`."""
    parser.add_argument("directory", metavar="DIR", help="a bundle, or the output of a run")


def run(args: argparse.Namespace) -> int:
    """Shows the directory's manifest; returns 0.

    Raises:
        UsageError: The directory is neither a bundle nor a run.
    """
    from rich.console import Console

    from model.errors import UsageError

    folder = pathlib.Path(args.directory)
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{folder} is neither a bundle nor a committed run: it has no manifest.json.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as JSON.") from error
    if not isinstance(manifest, dict) or not {"run_id", "files"} & manifest.keys():
        raise UsageError(f"{path} is the manifest of neither a bundle nor a run.")
    # A pipe has no width of its own, and 80 columns cut a sha256.
    console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 120)
    rows = _run_rows(folder, manifest) if "run_id" in manifest else _bundle_rows(folder)
    _print_page(console, rows)
    return 0


def _print_page(console: Any, rows: Iterable[tuple[str, str]]) -> None:
    from rich.table import Table

    from pipelines.terminal import escape

    page = Table.grid(padding=(0, 2))
    page.add_column(style="bold", no_wrap=True)
    page.add_column(overflow="fold")
    for name, value in rows:
        page.add_row(escape(name), escape(value))
    console.print(page)


def _bundle_rows(folder: pathlib.Path) -> Iterable[tuple[str, str]]:
    from model.bundle import read_bundle

    bundle = read_bundle(folder, trust=True)
    manifest = bundle.manifest
    tokenizer, proof = manifest["tokenizer"], manifest["invariance"]
    yield "bundle", f"{folder}: sizes, hashes and proof hold"
    yield "bundle_id", bundle.bundle_id
    yield "outputs", ", ".join(bundle.outputs)
    yield "network", " > ".join(map(str, manifest.get("network", [])))
    yield "engines", "packed, keras" if bundle.has_packed else f"keras ({bundle.why_not_packed})"
    yield (
        "tokenizer",
        (
            f"{tokenizer['dictionary']} {tokenizer['dictionary_version']}, normalization {tokenizer['normalization']}"
            + (", lower-cased" if tokenizer["lower"] else "")
            + (", filtered" if tokenizer["filters"] else "")
        ),
    )
    yield "vocabulary", f"{manifest['num_words']:,} ids, OOV words: {manifest['oov']}"
    yield "sequences", f"at most {manifest['max_sequence_length']:,} ids, truncating {manifest['truncating']}"
    yield (
        "padding",
        (
            f"not read: {proof['texts']} texts at {len(proof['sequence_lengths'])} widths differ by "
            f"{proof['largest_difference']:.1e} at most"
        ),
    )
    training = dict(manifest.get("training") or {})
    settings = dict(training.pop("settings", None) or {})
    yield from _nested("epochs", _epochs(training.pop("epochs", None)))
    yield from _nested("training", training)
    yield from _nested("settings", {name: value for name, value in settings.items() if name != "tokenizer"})
    yield from _nested("libraries", manifest.get("libraries"))
    for name, file in manifest["files"].items():
        yield name, f"{file['bytes']:,} bytes, sha256 {file['sha256'][:12]}…"


def _run_rows(folder: pathlib.Path, manifest: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    whole = (folder / "_SUCCESS").exists()
    counts = manifest.get("counts", {})
    yield "run", f"{folder}{'' if whole else ': no _SUCCESS, this is no result'}"
    yield "run_id", str(manifest["run_id"])
    yield "bundle_id", str(manifest.get("bundle_id"))
    yield "records", ", ".join(f"{name} {value:,}" for name, value in counts.items() if isinstance(value, int))
    codes = manifest.get("dead_letter_codes") or {}
    if codes:
        yield "dead letters", ", ".join(f"{code} {count:,}" for code, count in codes.items())
    yield "time", f"{manifest.get('seconds')} s, {manifest.get('started')} to {manifest.get('finished')}"
    for name in ("engine", "outputs_scored", "versions", "settings", "options"):
        yield from _nested(name, manifest.get(name))
    inputs = manifest.get("inputs", [])
    for entry in inputs[:_MAX_LISTED]:
        yield (
            "input",
            (
                f"{entry.get('source')}: {entry.get('records', 0):,} records = {entry.get('scored', 0):,} scored + "
                f"{entry.get('empty', 0):,} empty + {entry.get('dead', 0):,} dead"
            ),
        )
    files = manifest.get("outputs", [])
    for entry in files[:_MAX_LISTED]:
        yield "output", f"{entry.get('path')}: {entry.get('rows', 0):,} rows, {entry.get('bytes', 0):,} bytes"
    hidden = max(0, len(inputs) - _MAX_LISTED) + max(0, len(files) - _MAX_LISTED)
    if hidden:
        yield "", f"… and {hidden:,} more files in manifest.json"


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
