"""The proof decides, not the presence of Keras' mask: what leaves its padding out is served, and nothing else is."""

import json
import pathlib

import keras
import numpy as np
import pytest

from saiten.model.errors import BundleError
from saiten.model.keras_models.drawn_weights import refuse_lost_mask, refuse_reading
from saiten.model.keras_models.graph import graph_of
from saiten.model.keras_models.judge import refuse_unserved
from tests.people.tried import VOCABULARY_SIZE, bundled, predicted
from tests.people.without_mask import READING, SOUND, model_of

SOME_SOUND = (
    "a mask of vectors that are not 0, LSTM",
    "sum of vectors by a count of ids",
    "marks of a second Embedding",
)
IDS = [[5], [59, 1, 3], [7, 7, 2, 30, 31, 32, 33], [*range(1, 30)]]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "title", [title if title in SOME_SOUND else pytest.param(title, marks=pytest.mark.thorough) for title in SOUND]
)
def test_a_model_that_leaves_its_padding_out_by_other_means_is_served(title: str, tmp_path: pathlib.Path) -> None:
    """Whole, by the command: with the scores of `model.predict` on a matrix padded before and one padded behind."""
    model = model_of(SOUND[title])
    model.save(tmp_path / "model.keras")
    words = {chr(ord("あ") + i): i for i in range(1, VOCABULARY_SIZE)}
    (tmp_path / "words.json").write_text(json.dumps(words), encoding="utf-8")
    flags = ("--no-lower", "--filters=none", "--max_sequence_length=40")
    bundle = bundled(tmp_path / "bundle", tmp_path / "model.keras", tmp_path / "words.json", flags)
    token_ids = np.concatenate([np.array(ids, np.int32) for ids in IDS])
    offsets = np.cumsum([0, *map(len, IDS)])
    for name in ("packed", "keras") if bundle.has_packed else ("keras",):
        found = bundle.engine(name).score(token_ids, offsets)
        for padding in ("pre", "post"):
            matrix = keras.utils.pad_sequences(IDS, 40, padding=padding)
            np.testing.assert_allclose(found, predicted(model)(matrix), atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("title", "is_fresh"),
    [(title, False) for title in READING] + [(title, True) for title in READING if title.startswith("LSTM")],
)
def test_a_model_that_reads_its_padding_is_refused_whatever_its_weights_hide(title: str, is_fresh: bool) -> None:
    """Trained weights may hide on all texts that are tried what shows on the next; its network hides nothing."""
    model = model_of(*READING[title], is_fresh=is_fresh)
    before = model.get_weights()
    refuse_unserved(graph_of(model))
    with pytest.raises(BundleError, match=r"^Layer .*[;:] \S.*\.$") as caught:
        refuse_reading(model)
    assert len(str(caught.value)) <= 300
    for weight, was in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, was)


def test_what_seems_to_lose_its_mask_is_tried_before_words_and_flags_are_asked_for() -> None:
    refuse_lost_mask(model_of(SOUND["sum of vectors, zeros for the padding"]))
    build, change = READING["LSTM, a sigmoid that is 1"]
    with pytest.raises(
        BundleError, match=r"^Layer words \(Embedding\) makes no mask, so the padding is read as input; "
    ):
        refuse_lost_mask(model_of(build, change))
