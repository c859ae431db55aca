"""The distributions on the training data are read into types, or refused."""

import pathlib
import re

import pytest

from saiten.model.bundle.bundle import read_bundle
from saiten.model.bundle.reference import Distribution, ReferenceHistogram
from saiten.model.errors import BundleError
from tests.helpers.forgery import reseal

_HISTOGRAM = '{"edges": [0, 1], "counts": [2]}'
_REFERENCE = """{"texts": 2, "scores": {"taste": {"mean": 0.5, "std": 0, "histogram": %(h)s}},
 "n_tokens": {"mean": 0.5, "std": 0, "histogram": %(h)s}, "oov_rate": {"mean": 0.5, "std": 0, "histogram": %(h)s}}"""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "Expecting property name"),
        ("[]", "Expected `object`, got `array`"),
        ("[" * 100_000, "recursion"),
        ('{"texts": 2}', "missing required field `scores`"),
        (_REFERENCE % {"h": '{"edges": [0, 1], "counts": [2, 3]}'}, "2 edges do not go with 2 counts"),
        (_REFERENCE % {"h": '{"edges": [1, 0], "counts": [2]}'}, "the edges do not increase"),
        (_REFERENCE % {"h": '{"edges": [0, NaN], "counts": [2]}'}, "the edges do not increase"),
        (_REFERENCE % {"h": '{"edges": [0, Infinity], "counts": [2]}'}, "the edges do not increase"),
        (_REFERENCE % {"h": '{"edges": [0, 1], "counts": [-2]}'}, "a count is below 0"),
        (_REFERENCE % {"h": '{"edges": [0, 1], "counts": ["a"]}'}, "Expected `int`, got `str`"),
    ],
)
def test_a_reference_of_another_shape_is_refused(content: str, problem: str, bundle_copy: pathlib.Path) -> None:
    (bundle_copy / "reference.json").write_text(content, encoding="utf-8")
    reseal(bundle_copy)
    with pytest.raises(
        BundleError, match=rf"reference\.json cannot be read \(.*{re.escape(problem)}.*make the bundle anew"
    ):
        read_bundle(bundle_copy).reference()


def test_a_reference_is_read_and_may_be_empty(bundle_copy: pathlib.Path) -> None:
    assert read_bundle(bundle_copy).reference() is None
    (bundle_copy / "reference.json").write_text(_REFERENCE % {"h": _HISTOGRAM}, encoding="utf-8")
    reseal(bundle_copy)
    reference = read_bundle(bundle_copy).reference()
    assert reference is not None
    assert reference.scores == {"taste": Distribution(0.5, 0.0, ReferenceHistogram((0.0, 1.0), (2,)))}
