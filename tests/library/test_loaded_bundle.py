"""A loaded bundle: the scores of a run, from a list of texts, on any thread."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import saiten
from saiten.model.bundle.bundle import StoredBundle
from tests.conftest import SENTENCES
from tests.helpers.forgery import reseal

ODD_TEXTS = ("", " \u3000\n", "知らない単語ばかり", "長い文です。" * 400, "\0")


@pytest.fixture(scope="module")
def bundle(tiny_bundle: StoredBundle) -> saiten.Bundle:
    return saiten.load(tiny_bundle.path)


def test_it_says_what_it_is(bundle: saiten.Bundle, tiny_bundle: StoredBundle) -> None:
    assert (bundle.path, bundle.bundle_id) == (str(tiny_bundle.path), tiny_bundle.bundle_id)
    assert (bundle.outputs, bundle.engine) == (("taste", "service"), "packed")
    assert repr(bundle) == f"Bundle({str(tiny_bundle.path)!r}, outputs=('taste', 'service'), engine='packed')"


def test_scores_are_those_of_the_engine_in_the_order_of_the_texts(
    bundle: saiten.Bundle, tiny_bundle: StoredBundle
) -> None:
    scores = bundle.score(SENTENCES)
    encoded = tiny_bundle.encoder().encode(SENTENCES)
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(scores, tiny_bundle.engine("packed").score(encoded.token_ids, encoded.offsets))


def test_a_text_without_tokens_is_nan_and_no_other_row_is(bundle: saiten.Bundle) -> None:
    scores = bundle.score([*SENTENCES, *ODD_TEXTS])
    assert scores.shape == (len(SENTENCES) + len(ODD_TEXTS), 2)
    is_nan = [[False] * 2] * len(SENTENCES) + [[True] * 2] * 2 + [[False] * 2] * 2 + [[True] * 2]
    assert np.isnan(scores).tolist() == is_nan


@pytest.mark.parametrize("texts", [[], iter([]), ()])
def test_no_texts_have_no_scores(bundle: saiten.Bundle, texts: list[str]) -> None:
    assert bundle.score(texts).shape == (0, 2)


def test_scores_do_not_depend_on_what_a_text_comes_with(bundle: saiten.Bundle) -> None:
    many = [f"{SENTENCES[i % 5]}{SENTENCES[i % 3]}{i}" for i in range(5000)]
    together = bundle.score(iter(many))
    for i in (0, 2047, 2048, 4999):
        np.testing.assert_allclose(together[i], bundle.score([many[i]])[0], atol=1e-6)


def test_the_keras_engine_gives_the_same_scores(bundle: saiten.Bundle, tiny_bundle: StoredBundle) -> None:
    keras = saiten.load(tiny_bundle.path, engine="keras")
    assert keras.engine == "keras"
    np.testing.assert_allclose(keras.score(SENTENCES), bundle.score(SENTENCES), atol=1e-6)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("良い。", r"score takes a list of texts, not one string: score\(\[text\]\)\."),
        (["良い。", None], r"texts\[1\] is NoneType, not a string\."),
        ([b"text"], r"texts\[0\] is bytes, not a string\."),
    ],
)
def test_what_is_no_list_of_strings_is_refused(bundle: saiten.Bundle, texts: list[str], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}$"):
        bundle.score(texts)


def test_a_text_that_cannot_be_scored_is_named(bundle: saiten.Bundle) -> None:
    with pytest.raises(saiten.RecordError) as caught:
        bundle.score([*["良い。"] * 3000, "\ud83d"])
    assert str(caught.value) == "BAD_UNICODE: the text holds a lone surrogate (texts[3000])"
    assert (caught.value.code, isinstance(caught.value, saiten.SaitenError)) == ("BAD_UNICODE", True)


def test_explain_shows_every_token(bundle: saiten.Bundle) -> None:
    explanation = bundle.explain("ﾗｰﾒﾝがない")
    assert explanation.normal_form == "ラーメンがない"
    assert [(token.surface, token.fate) for token in explanation.tokens] == [
        ("ラーメン", "read"), ("が", "read"), ("ない", "oov"),
    ]  # fmt: skip
    assert explanation.scores == tuple(bundle.score(["ラーメンがない"])[0].tolist())
    with pytest.raises(saiten.UsageError, match="would be a dead letter: BAD_UNICODE"):
        bundle.explain("\ud83d")


def test_one_bundle_serves_many_threads(bundle: saiten.Bundle) -> None:
    requests = [[f"{SENTENCES[(i + k) % 5]}{SENTENCES[k % 5] * (i % 7)}" for k in range(20)] for i in range(60)]
    expected = [bundle.score(texts) for texts in requests]
    with ThreadPoolExecutor(8) as threads:
        for one, other in zip(threads.map(bundle.score, requests * 4), expected * 4, strict=True):
            np.testing.assert_array_equal(one, other)


def test_it_pickles_as_its_path_and_comes_back_only_as_itself(bundle: saiten.Bundle, bundle_copy: object) -> None:
    again = pickle.loads(pickle.dumps(bundle))
    np.testing.assert_array_equal(again.score(SENTENCES), bundle.score(SENTENCES))
    assert len(pickle.dumps(bundle)) < 1000
    pickled = pickle.dumps(saiten.load(bundle_copy))  # type: ignore[arg-type]
    reseal(bundle_copy, training={"seed": 1})  # type: ignore[arg-type]
    with pytest.raises(saiten.BundleError, match="was loaded from there before"):
        pickle.loads(pickled)


def test_a_bundle_that_is_none_is_refused(tmp_path: object, bundle: saiten.Bundle) -> None:
    with pytest.raises(saiten.BundleError):
        saiten.load(f"{tmp_path}/nowhere")
    with pytest.raises(saiten.BundleError, match="The engine is auto, packed or keras, not 'fast'"):
        saiten.load(bundle.path, engine="fast")
