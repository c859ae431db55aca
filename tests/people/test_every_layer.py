"""Whichever layer of Keras a model holds, it is served with `model.predict`'s scores or refused in a sentence."""

import pathlib

import numpy as np
import pytest

from saiten.model.engines.precision import in_single_precision
from saiten.model.errors import SaitenError
from saiten.model.keras_models.allowed_layers import LAYERS, OTHER_LAYERS, RUNNING_CODE
from saiten.model.keras_models.layers import refuse_outputs
from saiten.model.keras_models.model_file import read_model_file
from saiten.model.text.ragged import offsets_of
from tests.people.every_layer import NOT_BUILT, models, names, padded
from tests.people.tried import VOCABULARY_SIZE, engine_of, predicted, prove

SOME = ("Conv2D", "EinsumDense", "GroupNormalization", "GroupQueryAttention", "Normalization", "RandAugment", "LSTM")
_MOST_CHARACTERS = 300


def _came_to(model: object, file: pathlib.Path) -> str:
    """Returns the sentence of refusal, or ``served``; raises where scores differ."""
    try:
        read, _ = read_model_file(file)
        refuse_outputs(read, ["a", "b"])
        prove(read)
    except SaitenError as error:
        return str(error)
    generator = np.random.default_rng(0)
    texts = [generator.integers(1, VOCABULARY_SIZE, length, np.int32) for length in (1, 3, 12, 7)]
    engine, _ = engine_of(in_single_precision(read))
    found = engine.score(np.concatenate(texts), offsets_of([len(text) for text in texts]))
    for before in (True, False):
        np.testing.assert_allclose(found, predicted(model)(padded(texts, before=before)), atol=1e-5)
    return "served"


def test_every_layer_of_keras_is_known() -> None:
    """A layer that a new version of Keras brings is to be judged: does it run code, or make much of little?"""
    assert sorted(LAYERS - {"Functional", "Sequential"} | OTHER_LAYERS | RUNNING_CODE) == names()
    assert not LAYERS & OTHER_LAYERS | LAYERS & RUNNING_CODE | OTHER_LAYERS & RUNNING_CODE


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", [name if name in SOME else pytest.param(name, marks=pytest.mark.thorough) for name in names()]
)
def test_a_layer_is_served_or_refused(name: str, tmp_path: pathlib.Path) -> None:
    came_to = {place: _came_to(model, file) for place, model, file in models(name, tmp_path, most=2)}
    assert bool(came_to) == (name not in NOT_BUILT)
    for sentence in came_to.values():
        assert sentence == "served" or (len(sentence) <= _MOST_CHARACTERS and sentence.endswith(".")), sentence
        assert "may run code" not in sentence or name in ("Lambda", "Wrapper")
