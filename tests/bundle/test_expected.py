"""`--expected`: texts with the scores of `model.predict` are read as people write them; one that differs is shown."""

import dataclasses
import json
import pathlib
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.expected import ExpectedScores, check_expected, expected_tolerance, read_expected
from saiten.model.bundle.writer import write_bundle
from saiten.model.engines.engine import Engine
from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.engines.precision import half_precision_of, in_single_precision
from saiten.model.errors import BundleError, UsageError
from saiten.model.text.encoder import Encoder
from tests.conftest import SENTENCES
from tests.helpers.networks import with_drawn_weights

OUTPUTS = ("taste", "service")

FILES = {
    "a list": ("a.jsonl", '{"text": "良い", "scores": [1, 2.5]}\n\n{"text": "悪い", "scores": [0.5, -1e-3]}\n'),
    "a field each": (
        "a.jsonl",
        '{"text": "良い", "service": 2.5, "taste": 1}\n{"text": "悪い", "taste": 0.5, "service": -0.001}',
    ),
    "as Saiten's own rows": (
        "a.jsonl",
        """{"text": "良い", "score_taste": 1, "score_service": 2.5}
{"text": "悪い", "score_taste": 0.5, "score_service": -0.001}""",
    ),
    "CSV": ("a.csv", "text,taste,service\r\n良い,1,2.5\r\n悪い,0.5,-0.001\r\n"),
    "TSV with a mark": ("a.tsv", "\ufefftaste\ttext\tservice\n1\t良い\t2.5\n0.5\t悪い\t-1e-3\n"),
}


@pytest.mark.parametrize(("name", "content"), FILES.values(), ids=FILES)
def test_texts_and_scores_are_read(name: str, content: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = read_expected(tmp_path / name, OUTPUTS)
    assert found.texts == ["良い", "悪い"]
    np.testing.assert_array_equal(found.scores, np.array([[1, 2.5], [0.5, -1e-3]], np.float32))


def test_of_many_texts_it_is_known_how_many_are_compared(tmp_path: pathlib.Path) -> None:
    """A comparison of 10,000 texts was said to be one of all."""
    lines = ['{"text": "良い", "scores": [1, 2]}'] * 10_000
    (tmp_path / "a.jsonl").write_text("\n".join([*lines, "", *lines[:2]]), encoding="utf-8")
    found = read_expected(tmp_path / "a.jsonl", OUTPUTS)
    assert (len(found.texts), len(found.scores), found.n_in_file) == (10_000, 10_000, 10_002)


REFUSED = {
    "no file": (None, r"cannot be read: No such file or directory\."),
    "too few scores": (
        '{"text": "a", "scores": [1, 2]}\n{"text": "b", "scores": [1]}', "record 2 is no text with 2 scores"
    ),
    "no number": ('{"text": "a", "taste": "high", "service": 1}', "record 1 is no text"),
    "not finite": ('{"text": "a", "scores": [NaN, 1]}', "record 1 is no text"),
    "no text": ('{"body": "a", "scores": [1, 1]}', "record 1 is no text"),
    "no JSON": ("良い,1,2", "record 1 is no text"),
    "a list of lists": ("[1, 2]", "record 1 is no text"),
    "nothing": ("\n", "holds no texts"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_another_file_is_one_sentence(content: str | None, message: str, tmp_path: pathlib.Path) -> None:
    if content is not None:
        (tmp_path / "e.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=message) as caught:
        read_expected(tmp_path / "e.jsonl", OUTPUTS)
    assert len(str(caught.value).replace(str(tmp_path), "")) <= 300


@pytest.fixture(scope="module")
def sides(tiny_bundle: StoredBundle) -> tuple[Encoder, Engine, ExpectedScores]:
    encoder, engine = tiny_bundle.encoder(), tiny_bundle.engine("packed")
    encoded = encoder.encode(SENTENCES)
    return encoder, engine, ExpectedScores(SENTENCES, engine.score(encoded.token_ids, encoded.offsets))


def test_the_same_scores_pass_and_the_largest_difference_is_told(sides: tuple[Encoder, Engine, ExpectedScores]) -> None:
    encoder, engine, expected = sides
    assert check_expected(expected, encoder, engine) == 0
    moved = ExpectedScores(expected.texts, expected.scores + np.float32(9e-5))
    assert check_expected(moved, encoder, engine) == pytest.approx(9e-5, rel=0.01)


@pytest.mark.parametrize(
    ("policy", "half", "tolerance"),
    [("float32", "", 1e-4), ("float64", "", 1e-4), ("mixed_float16", "float16", 2e-3), ("float16", "float16", 2e-3),
     ("mixed_bfloat16", "bfloat16", 1.6e-2)],
)  # fmt: skip
def test_only_half_precision_may_differ_by_more(policy: str, half: str, tolerance: float) -> None:
    """Numbers of bfloat16 have three bits less than those of float16; those of float64 have more than are needed."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype=policy)])
    assert half_precision_of(model) == half
    assert expected_tolerance(half) == tolerance


@dataclasses.dataclass
class Scaled:
    """A model whose scores are in the thousands, as of labels that are prices, off by what its precision rounds."""

    engine: Engine
    off: float = 0.0
    name: str = "keras"
    n_outputs: int = 2

    def score(self, token_ids: Any, offsets: Any) -> Any:
        return (self.engine.score(token_ids, offsets) * 3000 + 5000 + self.off).astype(np.float32)


def test_what_single_precision_rounds_is_no_difference(sides: tuple[Encoder, Engine, ExpectedScores]) -> None:
    """Near 5,000 a last place is 5e-4, more than 1e-4, and `model.predict` may round to the other side."""
    encoder, engine, expected = sides
    single = Scaled(engine, 5e-4)
    moved = ExpectedScores(expected.texts, (expected.scores * 3000 + 5000 - 5e-4).astype(np.float32))
    assert 5e-4 < check_expected(moved, encoder, single, lambda: Scaled(engine)) < 2e-3
    wrong = ExpectedScores(moved.texts, moved.scores + np.float32(0.05))
    for exact in (lambda: Scaled(engine), lambda: None):
        with pytest.raises(BundleError, match=r"^5 of 5 texts of --expected score otherwise"):
            check_expected(wrong, encoder, single, exact)
    with pytest.raises(BundleError, match=r"^5 of 5 texts of --expected score otherwise"):
        check_expected(moved, encoder, single)
    with_none = ExpectedScores(["", *moved.texts], np.append(np.zeros((1, 2), np.float32), moved.scores, axis=0))
    with pytest.raises(BundleError, match=r"^1 of 6 texts of --expected have no ids here"):
        check_expected(with_none, encoder, single, lambda: Scaled(engine))


@pytest.mark.parametrize(("policy", "refused"), [("mixed_float16", False), ("float32", True)])
def test_half_precision_may_round_as_it_does(
    policy: str, refused: bool, tmp_path: pathlib.Path, tiny_bundle: StoredBundle
) -> None:
    """`model.predict` computed in half precision where the model was trained, and its bundle computes in single."""
    encoder = tiny_bundle.encoder()
    words = layers.Embedding(len(encoder.vocabulary), 6, mask_zero=True)
    lstm = layers.LSTM(4, dtype=keras.DTypePolicy(policy))
    model = with_drawn_weights(keras.Sequential([keras.Input((None,), dtype="int32"), words, lstm, layers.Dense(2)]))
    encoded = encoder.encode(SENTENCES)
    scores = KerasEngine(in_single_precision(model)).score(encoded.token_ids, encoded.offsets)
    moved = ExpectedScores(SENTENCES, scores + np.float32(1e-3))
    arguments: dict[str, Any] = {"outputs": ["a", "b"], "golden_texts": SENTENCES, "training": {}, "reference": {}}
    if refused:
        with pytest.raises(BundleError, match=r"^5 of 5 texts of --expected score otherwise"):
            write_bundle(tmp_path / "b", model=model, encoder=encoder, expected=moved, **arguments)
    else:
        assert write_bundle(tmp_path / "b", model=model, encoder=encoder, expected=moved, **arguments).has_packed


def test_the_first_text_that_differs_is_shown_with_its_tokens_and_ids(
    sides: tuple[Encoder, Engine, ExpectedScores],
) -> None:
    encoder, engine, expected = sides
    scores = expected.scores.copy()
    scores[2:4, 1] += 2e-4
    with pytest.raises(BundleError) as caught:
        check_expected(ExpectedScores(expected.texts, scores), encoder, engine)
    tokens = encoder.tokenizer.tokenize(SENTENCES[2])
    ids = " ".join(str(encoder.vocabulary.ids[token]) for token in tokens)
    assert str(caught.value) == (
        f"2 of 5 texts of --expected score otherwise; the first is {SENTENCES[2]!r}, off by 0.0002: "
        f"its tokens are {' '.join(tokens)!r}, its ids {ids}; compare them with those that your code makes, and set "
        "the flag that tells them apart."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1 of 1 texts of --expected have no ids here, the first is .., and Saiten"),
        ("\ud800", "A text of --expected cannot be tokenized, so leave it out: BAD_UNICODE"),
        ("とても" * 200, "1 of 1 texts"),
    ],
)
def test_a_text_that_cannot_be_scored_or_is_long_is_one_sentence(
    text: str, message: str, sides: tuple[Encoder, Engine, ExpectedScores]
) -> None:
    encoder, engine, _ = sides
    with pytest.raises(BundleError, match=message) as caught:
        check_expected(ExpectedScores([text], np.zeros((1, 2), np.float32)), encoder, engine)
    assert len(str(caught.value)) <= 300


def test_json_that_python_writes_is_read(tmp_path: pathlib.Path) -> None:
    """The page's own example: `row.tolist()` of float32 scores."""
    scores: Any = np.array([[0.1, 0.7]], np.float32)
    content = json.dumps({"text": "良い", "scores": scores[0].tolist()}, ensure_ascii=False)
    (tmp_path / "expected.jsonl").write_text(content, encoding="utf-8")
    np.testing.assert_array_equal(read_expected(tmp_path / "expected.jsonl", OUTPUTS).scores, scores)


def test_texts_without_ids_are_said_to_be_so_once_all_others_agree(
    sides: tuple[Encoder, Engine, ExpectedScores],
) -> None:
    """`model.predict` gives a row of padding a score, too; Saiten gives such a text none."""
    encoder, engine, expected = sides
    scores = np.append(np.zeros((2, expected.scores.shape[1]), np.float32), expected.scores, axis=0)
    texts = ["", " ", *expected.texts]
    with pytest.raises(
        BundleError, match=rf"^2 of {len(texts)} texts of --expected have no ids here.*leave them out\.$"
    ):
        check_expected(ExpectedScores(texts, scores), encoder, engine)
    scores[2] += 1
    with pytest.raises(BundleError, match=r"^3 of .* score otherwise; the first is .*off by 1:"):
        check_expected(ExpectedScores(texts, scores), encoder, engine)
