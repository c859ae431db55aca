"""Golden records replayed: what every worker does before its first batch."""

from collections.abc import Sequence

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.golden import GoldenRecord, ids_of, ids_of_text, scores_of
from saiten.model.engines.engine import Engine, scaled_difference
from saiten.model.errors import BundleError, RecordError
from saiten.model.text.encoder import Encoder


def replay_ids(bundle: StoredBundle, encoder: Encoder) -> None:
    """Tokenizes and encodes all golden texts again.

    Args:
        bundle: Where the records lie.
        encoder: What is tried.

    Raises:
        BundleError: A token or an id differs: MeCab, its dictionary or Unicode's tables are others.
    """
    records = bundle.golden()
    try:
        encoded = encoder.encode([record.text for record in records])
    except RecordError as error:
        raise BundleError(f"{bundle.path}: a golden record cannot be tokenized: {error}.") from error
    for i, record in enumerate(records):
        if tuple(encoder.tokenizer.tokenize(record.text)) != record.tokens:
            raise BundleError(
                f"{bundle.path}: the tokens of a golden record differ; install the MeCab, dictionary and "
                "Python versions that inspect shows for the bundle."
            )
        if ids_of_text(encoded, i) != record.token_ids:
            raise BundleError(f"{bundle.path}: the ids of a golden record differ; make the bundle anew.")


def replay_scores(bundle: StoredBundle, engine: Engine, some: int | None = None) -> float:
    """Scores golden records again, from their recorded ids; returns the largest scaled difference.

    Args:
        bundle: Where the records lie.
        engine: What is tried.
        some: How many records, spread over all of them; None takes all.

    Raises:
        BundleError: A score differs by more than the manifest's `golden_tolerance`, scaled: 1e-5, but for models that
            amplify rounding.
    """
    records = [record for record in _spread(bundle.golden(), some) if record.token_ids]
    difference = scaled_difference(engine.score(*ids_of(records)), scores_of(records))
    allowed = bundle.manifest.golden_tolerance
    if difference > allowed:
        raise BundleError(
            f"{bundle.path}: the {engine.name} engine's golden scores differ by {difference:.2g} "
            f"(allowed: {allowed:.2g}); use the library versions that inspect shows for the bundle."
        )
    return difference


def _spread(records: Sequence[GoldenRecord], some: int | None) -> Sequence[GoldenRecord]:
    if some is None or some >= len(records):
        return records
    return [records[i * len(records) // some] for i in range(some)]
