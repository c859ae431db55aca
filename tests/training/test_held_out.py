"""Which texts are held out: a share of each class, never a text that is also trained on."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saiten.model.errors import UsageError
from saiten.model.training.held_out import Split, choose_held_out, refuse_untaught, split_corpus, split_line
from saiten.model.training.targets import Targets


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.floats(0, 0.9))
def test_equal_texts_are_on_one_side_and_the_share_has_its_size_but_for_them(keys: list[int], fraction: float) -> None:
    held_out = choose_held_out(np.array(keys, np.uint64), fraction)
    sides = [{key for key, held in zip(keys, held_out, strict=True) if held == side} for side in (False, True)]
    assert not sides[0] & sides[1]
    assert sides[0]
    wanted = round(len(keys) * fraction)
    largest = max((keys.count(key) for key in sides[1]), default=0)
    assert held_out.sum() < wanted + max(1, largest)
    assert held_out.sum() >= wanted or len(sides[0]) == 1
    assert not sides[1] or max(sides[1]) < min(sides[0])


def test_each_class_gives_its_share_and_a_class_of_one_text_gives_none() -> None:
    classes = np.repeat([0, 1, 2, 3], [1_000, 100, 10, 1])
    keys = np.random.default_rng(0).permutation(len(classes)).astype(np.uint64)
    held_out = choose_held_out(keys, 0.1, classes)
    assert np.bincount(classes[held_out], minlength=4).tolist() == [100, 10, 1, 0]


def test_a_text_with_two_labels_is_on_one_side() -> None:
    keys, classes = np.uint64([1, 1, 2, 3, 4, 5]), np.array([0, 1, 0, 1, 0, 1])
    held_out = choose_held_out(keys, 0.4, classes)
    assert held_out[0] == held_out[1]


def test_a_fraction_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="must be at least 0 and less than 1, not 1"):
        choose_held_out(np.array([3, 4], np.uint64), 1)


def _split(keys: list[int], n_records: int, values: list[float], fraction: float = 0.5) -> Split:
    return split_corpus(np.array(keys, np.uint64), n_records, np.float32(values)[:, None], "classes", fraction)


def test_a_share_is_taken_of_each_class_where_there_is_no_validation_input() -> None:
    split = _split([1, 2, 3, 4], 4, [0, 0, 1, 1])
    assert split.held_out.tolist() == [True, False, True, False]
    assert split.training.tolist() == [False, True, False, True]
    assert (split.how, split.left_out) == ("a share of each class", {})
    assert _split([1, 2], 2, [0, 1], fraction=0).how == "none"


def test_the_validation_input_is_held_out_and_its_texts_are_not_trained_on() -> None:
    split = _split([1, 2, 3, 4, 3, 5, 6], 4, [0, 1, 0, 1, 0, 1, np.nan])
    assert split.training.tolist() == [True, True, False, True, False, False, False]
    assert split.held_out.tolist() == [False, False, False, False, True, True, False]
    assert (split.how, split.left_out) == ("--validation_input", {"IN_VALIDATION_INPUT": 1, "CLASS_UNKNOWN": 1})


@pytest.mark.parametrize(
    ("keys", "values", "side"), [([1, 2, 1, 2], [0, 1, 0, 1], "trained on"), ([1, 2, 3], [0, 1, np.nan], "held out")]
)
def test_a_validation_input_that_leaves_no_text_on_a_side_is_refused(
    keys: list[int], values: list[float], side: str
) -> None:
    with pytest.raises(UsageError) as caught:
        _split(keys, 2, values)
    assert str(caught.value) == (f"No text is left that can be {side}: --input and --validation_input must differ.")


def test_one_line_says_what_is_held_out_and_that_no_such_text_is_trained_on() -> None:
    equals = "none equals, normalised, one that is trained on"
    assert split_line(_split([1, 2, 3, 4], 4, [0, 0, 1, 1])) == f"2 texts held out, a share of each class: {equals}"
    with_twin = _split([1, 2, 3, 4, 3, 5], 4, [0, 1, 0, 1, 0, 1])
    expected = f"2 texts held out, --validation_input: {equals}; left out: 1 text of --input that equals one of them"
    assert split_line(with_twin) == expected
    assert split_line(_split([1, 2], 2, [0, 1], fraction=0)) == "no text is held out"


@pytest.mark.parametrize(
    ("task", "values", "untaught"),
    [
        ("classes", [[0.0], [2.0], [0.0]], "of the class 'b'"),
        ("labels", [[1, np.nan, 0], [0, np.nan, np.nan]], "with a label 'b'"),
        ("numbers", [[1.5, np.nan, 0], [np.nan, np.nan, 2]], "with a label 'b'"),
    ],
)
def test_an_output_that_no_text_teaches_is_refused(task: Any, values: list[list[float]], untaught: str) -> None:
    """Its scores would be NaN, or that of a class that the network has never seen."""
    targets = Targets(task, "", ("a", "b", "c"), np.empty((0, 0), np.float32))
    with pytest.raises(UsageError) as caught:
        refuse_untaught(targets, np.float32(values))
    assert str(caught.value) == (
        f"All texts {untaught} are held out, or have no word of the vocabulary: none is left to learn from. Label "
        "more, leave it out, or hold out others by --validation_input or --seed."
    )
    refuse_untaught(targets, np.float32([[0], [1], [2]] if task == "classes" else [[np.nan, 1, 0], [2, np.nan, 0]]))
