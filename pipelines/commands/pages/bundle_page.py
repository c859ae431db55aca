"""A bundle as a page."""

from collections.abc import Iterable, Mapping
from typing import Any

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.bundle_files import TRAINING_PAGE
from saiten.model.bundle.bundle_manifest import manifest_json
from saiten.model.counted import counted
from saiten.model.text.tokenizer import TokenizerConfig
from saiten.pipelines.commands.pages.rows import MAX_LISTED, InspectPage, Row, nested_rows, shortened
from saiten.pipelines.reports.training_verdict import judge_training

# Of the training data, and what they are called.
_COUNTS = {"used": "texts", "held_out": "of them held out", "tokens": "tokens"}

_KINDS = {"numbers": "a number", "labels": "a probability", "classes": "the probability of an exclusive class"}


def bundle_page(directory: str, bundle: StoredBundle) -> InspectPage:
    """Returns what a bundle says of itself."""
    training = bundle.manifest.training
    verdict = judge_training(training, len(bundle.outputs))
    metrics = training.get("metrics") if verdict else None
    return InspectPage(
        f"{directory} is a bundle: its files are whole, and it has passed the tests of its making.",
        verdict,
        list(_rows(bundle)),
        metrics if isinstance(metrics, Mapping) else None,
        list(_details(bundle)),
        manifest_json(bundle.manifest),
    )


def _rows(bundle: StoredBundle) -> Iterable[Row]:
    manifest, settings = bundle.manifest, bundle.manifest.encoder
    n_bytes = sum(file.bytes for file in manifest.files.values())
    yield "bundle_id", bundle.bundle_id
    yield "outputs", f"{shortened(bundle.outputs)}: {_KINDS[manifest.task]} each"
    data, recipe = (_mapping(manifest.training.get(name)) for name in ("data", "settings"))
    if data:
        counts = ", ".join(f"{shortened(data.get(name))} {what}" for name, what in _COUNTS.items() if name in data)
        yield "trained on", counts
    if recipe.get("recipe"):
        yield "recipe", shortened(recipe["recipe"])
    yield from nested_rows("epochs", _epochs(manifest.training.get("epochs")))
    if "made_from" in manifest.training:
        yield "made from", shortened(manifest.training["made_from"])
    yield "reads", f"at most {settings.max_sequence_length:,} tokens of a text, {settings.num_words:,} different ids"
    yield "engines", "packed (without TensorFlow), keras" if bundle.has_packed else f"keras ({bundle.why_not_packed})"
    yield "size", f"{n_bytes / 1e6:,.1f} MB"
    if TRAINING_PAGE in manifest.files:
        yield "page", f"{TRAINING_PAGE}, for the browser"


def _details(bundle: StoredBundle) -> Iterable[Row]:
    manifest, settings, proof = bundle.manifest, bundle.manifest.encoder, bundle.manifest.invariance
    tokenizer = settings.tokenizer
    if len(bundle.outputs) > MAX_LISTED:
        yield "all outputs", ", ".join(bundle.outputs)
    yield "network", " > ".join(manifest.network)
    yield (
        "tokenizer",
        ", ".join([f"{tokenizer.dictionary} {settings.dictionary_version}", *tokenizer_rules(tokenizer)])
        + (", lower-cased" if tokenizer.lower else "")
        + (", filtered" if tokenizer.filters else "")
        + f", split {tokenizer.split}",
    )
    yield "vocabulary", f"{settings.num_words:,} ids, OOV words: {settings.oov}"
    yield "sequences", f"at most {settings.max_sequence_length:,} ids, truncating {settings.truncating}"
    yield (
        "padding",
        (
            f"not read: {counted(proof.texts, 'text')} at {counted(len(proof.sequence_lengths), 'width')} differ by "
            f"{proof.largest_difference:.1e} at most" + (", in double precision" if proof.precision == "double" else "")
        ),
    )
    training = {name: value for name, value in manifest.training.items() if name != "epochs"}
    training_settings = dict(_mapping(training.pop("settings", None)))
    yield from nested_rows("training", training)
    training_settings.pop("tokenizer", None)
    yield from nested_rows("settings", training_settings)
    yield from nested_rows("libraries", manifest.libraries)
    for name, file in manifest.files.items():
        yield name, f"{file.bytes:,} bytes, sha256 {file.sha256[:12]}…"


def tokenizer_rules(config: TokenizerConfig) -> Iterable[str]:
    """Yields how texts become words, a few words each."""
    yield f"normalization {config.normalization}"
    yield config.token_form
    if config.keep_pos:
        yield f"only {shortened(list(config.keep_pos))}"
    if config.stop_words:
        yield f"without {counted(len(config.stop_words), 'stop word')}"
    if config.prefix_token:
        yield f"{config.prefix_token} before"
    if config.suffix_token:
        yield f"{config.suffix_token} behind"


def _epochs(epochs: Any) -> str:
    """Says how long the training was and what its best epoch reached."""
    if not isinstance(epochs, list) or not epochs or not all(isinstance(epoch, Mapping) for epoch in epochs):
        return ""
    best = next((epoch for epoch in reversed(epochs) if epoch.get("is_best")), epochs[-1])
    if best.get("held_out_loss") is None:
        return f"{len(epochs):,}"
    which = f"number {shortened(best.get('epoch'))} was the best and is kept: " if len(epochs) > 1 else ""
    return f"{len(epochs):,}; {which}held-out loss {shortened(best.get('held_out_loss'))}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
