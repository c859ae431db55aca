"""A bundle as a page."""

from collections.abc import Iterable, Mapping
from typing import Any

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.commands.pages.rows import Row, nested_rows, shortened


def bundle_rows(directory: str, bundle: StoredBundle) -> Iterable[Row]:
    """Yields what a bundle says of itself."""
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
    training_settings = dict(_mapping(training.pop("settings", None)))
    if recipe := training_settings.pop("recipe", ""):
        yield "recipe", shortened(recipe)
    yield from nested_rows("epochs", _epochs(training.pop("epochs", None)))
    yield from nested_rows("training", training)
    training_settings.pop("tokenizer", None)
    yield from nested_rows("settings", training_settings)
    yield from nested_rows("libraries", manifest.libraries)
    for name, file in manifest.files.items():
        yield name, f"{file.bytes:,} bytes, sha256 {file.sha256[:12]}…"


def _epochs(epochs: Any) -> str:
    """Says how long the training was and what its best epoch reached."""
    if not isinstance(epochs, list) or not epochs or not all(isinstance(epoch, Mapping) for epoch in epochs):
        return ""
    best = next((epoch for epoch in reversed(epochs) if epoch.get("is_best")), epochs[-1])
    loss = shortened(best.get("held_out_loss"))
    return f"{len(epochs)}; number {shortened(best.get('epoch'))} was the best and is kept: held-out loss {loss}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
