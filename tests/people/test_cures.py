"""What is said of a model that reads its padding is true: the layer that is named is to blame, and the cure helps."""

import pathlib
import re

import keras
import pytest

from saiten.model.errors import BundleError
from saiten.model.keras_models.layers import refuse_outputs
from saiten.model.keras_models.model_file import read_model_file
from tests.people.models.at_fault import AT_FAULT
from tests.people.refused import at_fault
from tests.people.table import PAGE
from tests.people.tried import prove

ROWS = dict(re.findall(r"^\| (.+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
SOME = ("ops.max(axis=1, keepdims=True), Flatten", "GRU(go_backwards=True), average", "BatchNormalization(axis=1)",
        "* 2 before LSTM")  # fmt: skip


def _said_of(file: pathlib.Path) -> str:
    try:
        model, _ = read_model_file(file)
        refuse_outputs(model, ["a", "b", "c"])
        prove(model)
    except BundleError as error:
        return str(error)
    return "served"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "title", [title if title in SOME else pytest.param(title, marks=pytest.mark.thorough) for title in AT_FAULT]
)
def test_the_cure_that_is_said_helps(title: str, tmp_path: pathlib.Path) -> None:
    keras.utils.clear_session(free_memory=False)
    sentence = _said_of(at_fault(title)(tmp_path))
    assert sentence.replace("<", "&lt;") == ROWS[title]
    assert _said_of(at_fault(title, is_cured=True)(tmp_path)) == "served"
