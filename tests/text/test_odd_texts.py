"""Odd texts by name, and what MeCab, the vocabulary and the model make of each."""

from dataclasses import dataclass

import numpy as np
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.engines.engine import Engine
from saiten.model.text.encoder import Encoder
from saiten.model.text.vocabulary import Vocabulary
from saiten.pipelines.records import ScoredBlock
from saiten.pipelines.steps.encode import encode_block
from saiten.pipelines.steps.infer import score_block
from tests.helpers.fakes import make_block

KNOWN = "とても美味しいラーメンでした。"  # 6 tokens, all in the vocabulary of 400 tokens at most


@dataclass(frozen=True)
class OddText:
    """A text and how it is scored: status, tokens before truncation, how many of them OOV.

    The numbers for runs of one character are what unidic-lite 1.0.8 makes of them.
    """

    name: str
    text: str
    status: str
    n_tokens: int
    n_oov: int = 0
    truncated: bool = False


CASES = [
    OddText("known words", KNOWN, "scored", 6),
    OddText("nothing", "", "empty", 0),
    OddText("one space", " ", "empty", 0),
    OddText("white space of all kinds", " \t\r\n\u3000\u00a0\x0b\x0c\x1c\x85", "empty", 0),
    OddText("NUL alone", "\0", "empty", 0),
    OddText("NUL within", f"{KNOWN}\0{KNOWN}", "scored", 12),
    OddText("control characters between", f"\x01{KNOWN}\x1b\x7f\x9f", "scored", 6),
    OddText("line separator is a token", "\u2028", "scored", 1, 1),
    OddText("byte-order mark within", "\ufeff", "scored", 1, 1),
    OddText("zero-width space", "\u200b", "scored", 1, 1),
    OddText("right-to-left override", f"\u202e{KNOWN}", "scored", 7, 1),
    OddText("noncharacter", "\uffff", "scored", 1, 1),
    OddText("private use", "\ue000", "scored", 1, 1),
    OddText("emoji", "😀", "scored", 1, 1),
    OddText("beyond the BMP", "𠮷", "scored", 1, 1),
    OddText("half-width kana normalised", "ﾗｰﾒﾝ", "scored", 1),
    OddText("full-width ASCII normalised", "ＡＢＣ", "scored", 1, 1),
    OddText("the padding word spelt out", "<pad>", "scored", 3, 3),
    OddText("the OOV word spelt out", "<oov>", "scored", 3, 3),
    OddText("only unknown words", "不思議", "scored", 1, 1),
    OddText("exactly as long as the limit", "。 " * 400, "scored", 400),
    OddText("one longer than the limit", "。 " * 401, "scored", 401, 0, True),
    OddText("100,000 digits", "7" * 100_000, "scored", 99_760, 99_760, True),
    OddText("a ligature of 18 characters, often", "\ufdfa" * 3_000, "scored", 9_001, 9_001, True),
    OddText("marks out of order", "か" + "\u0301\u0316" * 20_000, "scored", 39_905, 39_905, True),
    OddText("10 MB in one line", KNOWN * 230_000, "scored", 6 * 230_000, 0, True),
]
SHORT = [case for case in CASES if len(case.text) < 1_000]


def score(texts: list[str], encoder: Encoder, engine: Engine) -> ScoredBlock:
    return score_block(encode_block(make_block(texts), encoder), engine)


@pytest.fixture(scope="module")
def engine(tiny_bundle: StoredBundle) -> Engine:
    return tiny_bundle.engine("packed")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_is_scored_as_tabled(case: OddText, tiny_bundle: StoredBundle, engine: Engine) -> None:
    scored = score([case.text], tiny_bundle.encoder(), engine)
    assert scored.dead_letters == ()
    found = (bool(scored.is_empty[0]), int(scored.n_tokens[0]), int(scored.n_oov[0]), bool(scored.truncated[0]))
    assert found == (case.status == "empty", case.n_tokens, case.n_oov, case.truncated)
    assert np.isfinite(scored.scores).all()


def test_dropping_unknown_words_may_leave_nothing(tiny_bundle: StoredBundle, engine: Engine) -> None:
    words: list[str | None] = [*tiny_bundle.encoder().vocabulary.words]
    dropping = Encoder(tiny_bundle.encoder().tokenizer, Vocabulary(["<pad>", None, *words[2:]], None), 400, "pre")
    scored = score(["不思議", KNOWN, "不思議。"], dropping, engine)
    assert scored.is_empty.tolist() == [True, False, False]
    assert (scored.n_tokens.tolist(), scored.n_oov.tolist()) == ([1, 6, 2], [1, 0, 1])


def test_a_score_is_the_same_bits_in_any_company_and_any_order(tiny_bundle: StoredBundle, engine: Engine) -> None:
    encoder = tiny_bundle.encoder()
    texts = [case.text for case in SHORT]
    together = score(texts, encoder, engine).scores
    backwards = score(texts[::-1], encoder, engine).scores[::-1]
    alone = np.concatenate([score([text], encoder, engine).scores for text in texts])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(backwards, alone)


def test_the_padded_keras_model_agrees_in_any_company(tiny_bundle: StoredBundle, engine: Engine) -> None:
    encoder, keras = tiny_bundle.encoder(), tiny_bundle.engine("keras")
    texts = [case.text for case in SHORT]
    ours = score(texts, encoder, engine).scores
    np.testing.assert_allclose(score(texts, encoder, keras).scores, ours, atol=1e-6)
    np.testing.assert_allclose(score(texts[::3], encoder, keras).scores, ours[::3], atol=1e-6)
