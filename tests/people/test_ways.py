"""Set-ups of words beyond those of the page give `model.predict`'s scores too, with the flags that are asked for."""

import pathlib

import pytest

from tests.people.models.networks import NETWORKS
from tests.people.tried import model_of, outcome, predicted
from tests.people.ways import MORE_WAYS, PADDINGS, Way


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "way",
    [pytest.param(way, id=way.title, marks=[pytest.mark.thorough] if i % 7 else []) for i, way in enumerate(MORE_WAYS)],
)
def test_a_set_up_of_words_gives_the_scores_of_predict(way: Way, tmp_path: pathlib.Path) -> None:
    model = model_of(NETWORKS["LSTM, Dense softmax"], None)
    model.save(tmp_path / "model.keras")
    padding = PADDINGS[MORE_WAYS.index(way) % len(PADDINGS)]
    assert outcome(tmp_path, tmp_path / "model.keras", predicted(model), way, padding) == "packed"
