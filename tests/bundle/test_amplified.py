"""What a network makes of rounding is no error, and no error hides behind it."""

import json
import pathlib
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.model.bundle.golden import GOLDEN_TOLERANCE, MOST_GOLDEN_TOLERANCE, rounding_tolerance
from saiten.model.bundle.invariance import prove_invariance, random_texts
from saiten.model.bundle.replay import replay_scores
from saiten.model.bundle.validation import validate_bundle
from saiten.model.bundle.writer import write_bundle
from saiten.model.engines.engine import scaled_difference
from saiten.model.errors import BundleError
from saiten.model.text.encoder import Encoder
from tests.conftest import SENTENCES
from tests.helpers.forgery import bundle_fields, reseal
from tests.helpers.networks import with_drawn_weights

TEXTS = random_texts(60)


def off_by(difference: float) -> Any:
    """Scores as a model does that is off by so much where it is padded."""
    return lambda matrix: np.where(matrix[:, :1] == 0, difference, 0) + np.full((len(matrix), 2), 0.5)


def test_rounding_is_as_large_as_a_network_makes_it() -> None:
    """Sums of thousands, and what is left of their difference: a part in a thousand, and nothing is read."""

    def amplified(matrix: Any, difference: float = 5e-4) -> Any:
        return off_by(difference)(matrix) + 1e-4 * (np.count_nonzero(matrix, axis=1) % 3)[:, None]

    proof = prove_invariance(amplified, *TEXTS, exact=lambda: off_by(0))
    assert (proof.precision, proof.largest_difference) == ("double", 0)
    with pytest.raises(BundleError, match=r"reads its padding: a score changes by 0\.0005"):
        prove_invariance(amplified, *TEXTS, exact=lambda: off_by(5e-4))
    with pytest.raises(BundleError, match=r"reads its padding: a score changes by 0\.003"):
        prove_invariance(lambda matrix: amplified(matrix, 3e-3), *TEXTS, exact=lambda: off_by(0))


def test_a_model_that_reads_a_little_of_its_padding_is_told_so() -> None:
    with pytest.raises(BundleError, match=r"reads its padding: a score changes by 5e-05"):
        prove_invariance(off_by(5e-5), *TEXTS, exact=lambda: off_by(5e-5))


def test_scores_in_the_thousands_are_as_exact_as_their_size_lets_them_be() -> None:
    """One near 0 among them is what is left of a difference; half of the texts have others."""
    sizes = np.where(np.arange(9)[:, None] == 4, 0.5, 4000.0)
    assert scaled_difference(sizes + 2e-3, sizes) == pytest.approx(5e-7)
    assert scaled_difference(sizes[::-1] + 0.4, sizes) == pytest.approx(1e-4)
    few = np.where(np.arange(9)[:, None] == 4, 4000.0, 0.5)
    assert scaled_difference(few + 2e-3, few) == pytest.approx(2e-3)
    both = np.concatenate([sizes, few], axis=1)
    assert scaled_difference(both + np.array([0.0, 2e-3]), both) == pytest.approx(2e-3)


@pytest.fixture(scope="module")
def summed(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: StoredBundle) -> StoredBundle:
    """A model without Keras' mask: sums that leave the padding out, and what is left of two that are nearly alike."""
    encoder: Encoder = tiny_bundle.encoder()
    ids = keras.Input((None,), dtype="int32")
    mask = ops.expand_dims(ops.cast(ops.greater(ids, 0), "float32"), -1)
    words = layers.Embedding(len(encoder.vocabulary), 16)(ids)
    one, other = (layers.Dense(32, activation="relu") for _ in range(2))
    totals = [ops.sum(layer(words) * mask, axis=1) for layer in (one, other)]
    model = with_drawn_weights(keras.Model(ids, layers.Dense(2)(totals[0] - totals[1])))
    kernel, bias = one.get_weights()
    other.set_weights([kernel * 1.001, bias])
    return write_bundle(
        tmp_path_factory.mktemp("summed") / "bundle",
        model=model,
        encoder=encoder,
        outputs=["a", "b"],
        golden_texts=SENTENCES,
        training={},
        reference={},
    )


def test_a_model_that_masks_by_hand_is_packed_and_replayed_within_what_it_rounds(summed: StoredBundle) -> None:
    assert summed.manifest.packed["covered"]
    assert summed.manifest.invariance.precision == "double"
    assert GOLDEN_TOLERANCE < summed.manifest.golden_tolerance < MOST_GOLDEN_TOLERANCE
    assert read_bundle(summed.path).manifest.golden_tolerance == summed.manifest.golden_tolerance
    for engine in ("packed", "keras"):
        assert replay_scores(summed, summed.engine(engine)) < summed.manifest.golden_tolerance
    assert [held.what for held in validate_bundle(summed)][-1] == "packed engine"


def test_a_score_that_is_further_off_is_refused(summed: StoredBundle, tmp_path: pathlib.Path) -> None:
    lines = (summed.path / "golden.jsonl").read_text(encoding="utf-8").split("\n")
    records = [json.loads(line) for line in lines if line]
    known = next(record for record in records if record["scores"])
    for times, refused in ((0.5, False), (40.0, True)):
        moved = {**known, "scores": [known["scores"][0] + times * summed.manifest.golden_tolerance, known["scores"][1]]}
        copy = tmp_path / f"{times}"
        copy.mkdir()
        for path in summed.path.iterdir():
            (copy / path.name).write_bytes(path.read_bytes())
        changed = [moved if record is known else record for record in records]
        content = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in changed)
        (copy / "golden.jsonl").write_text(content, encoding="utf-8")
        reseal(copy)
        bundle = read_bundle(copy)
        if refused:
            with pytest.raises(BundleError, match=r"engine's golden scores differ by .* \(allowed: "):
                replay_scores(bundle, bundle.engine("packed"))
        else:
            replay_scores(bundle, bundle.engine("packed"))


@pytest.mark.parametrize("allowed", [1e-6, 0.02, 1, "1e-5", None, True])
def test_a_bundle_cannot_allow_itself_anything(allowed: Any, bundle_copy: pathlib.Path) -> None:
    reseal(bundle_copy, golden_tolerance=allowed)
    with pytest.raises(BundleError, match=r"golden_tolerance is no number from 1e-05 to 0\.01"):
        read_bundle(bundle_copy)


def test_older_bundles_allow_what_they_allowed(bundle_copy: pathlib.Path) -> None:
    assert bundle_fields(bundle_copy)["golden_tolerance"] == GOLDEN_TOLERANCE
    reseal(bundle_copy, golden_tolerance=...)
    assert read_bundle(bundle_copy).manifest.golden_tolerance == GOLDEN_TOLERANCE


def test_what_is_allowed_follows_from_what_single_precision_rounds() -> None:
    exact = np.zeros((3, 2))
    assert rounding_tolerance(exact + 1e-7, exact) == GOLDEN_TOLERANCE
    assert rounding_tolerance(exact + 1e-5, exact) == pytest.approx(8e-5)
    assert rounding_tolerance(exact + 1, exact) == MOST_GOLDEN_TOLERANCE
    assert rounding_tolerance(exact + 1e-7, exact, 5e-7) == pytest.approx(8e-7)
