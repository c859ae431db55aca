"""The compiled segmenter leads to what MeCab leads to, and nothing goes on where it does not."""

import dataclasses
import pathlib
import re
from collections.abc import Sequence

import numpy as np
import pytest

from saiten.model.errors import BundleError, SaitenError, UsageError
from saiten.model.text import witness
from saiten.model.text.encoder import EncodedTexts, Encoder
from saiten.model.text.random_texts import random_texts
from saiten.model.text.segmenter import segmenter as segmenter_module
from saiten.model.text.segmenter.pages import release_pages
from saiten.model.text.segmenter.segmenter import Segmented
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.text.vocabulary import Vocabulary
from saiten.model.text.witness import Witness, prove_segmenter, witness_of
from saiten.pipelines.segmentation import Segmentation
from saiten.pipelines.steps.encode import encode_block
from tests.conftest import SENTENCES
from tests.helpers.fakes import make_block

# Plain words, one that no dictionary has, one with a space within in unidic, and one that is a number of digits.
WORDS = [
    "の",
    "に",
    "は",
    "、",
    "。",
    " ",
    "日",
    "美味しい",
    "ヌヌヌヌ",
    "New",
    "York",
    "Mr",
    "1",
    "2026",
    "😀",
    "…",
    "A",
]
MANY = [*SENTENCES, "私はMr. ChildrenとNew Yorkが好き。", "7" * 10_050, "\ufdfa" * 3_000, "\ud800は", "あ" * 9_990, ""]


def columns(encoded: EncodedTexts) -> dict[str, list[object]]:
    return {field.name: getattr(encoded, field.name).tolist() for field in dataclasses.fields(encoded)}


@pytest.mark.parametrize(
    "config",
    [
        {}, {"normalization": "none"}, {"lower": True, "filters": "!-。"}, {"split": "whitespace"},
        {"stop_words": ("は",)}, {"prefix_token": "<s>", "suffix_token": "</s>"},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("oov", ["token", "drop"])
def test_texts_become_what_they_become_by_mecab_oov_words_and_errors_included(
    config: dict[str, object], oov: str
) -> None:
    words = ["<pad>", "<oov>" if oov == "token" else None, *WORDS, None, "<s>"]
    encoder = Encoder(
        Tokenizer(TokenizerConfig(**config), "compiled"),  # type: ignore[arg-type]
        Vocabulary(words, 1 if oov == "token" else None), 300, "pre",
    )  # fmt: skip
    texts = [*MANY, *random_texts(400, 5, SENTENCES)]
    for block in (texts, texts[len(MANY) :], []):
        (own, errors), (other, others) = encoder.encode_all(block), encoder.by_mecab().encode_all(block)
        assert columns(own) == columns(other)
        assert {i: str(error) for i, error in errors.items()} == {i: str(error) for i, error in others.items()}


def test_what_is_not_covered_is_mecabs_and_refused_where_it_was_asked_for() -> None:
    config = TokenizerConfig(token_form="lemma")
    assert Tokenizer(config).segmenter == "mecab"
    assert Tokenizer(config).why_mecab == "dictionary forms and parts of speech are MeCab's to say"
    assert prove_segmenter(Tokenizer(config), []) == f"MeCab, because {Tokenizer(config).why_mecab}"
    with pytest.raises(UsageError, match="will not do: dictionary forms and parts of speech are MeCab's to say; take"):
        Tokenizer(config, "compiled")
    with pytest.raises(UsageError, match="The segmenter is auto, mecab, compiled, not 'other'"):
        Tokenizer(TokenizerConfig(), "other")


def test_a_text_beyond_what_is_prepared_for_is_mecabs_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmenter_module, "_MAX_NODES", 100)
    tokenizer = Tokenizer(TokenizerConfig(), "compiled")
    encoder = Encoder(tokenizer, Vocabulary(["<pad>", "<oov>", *WORDS], 1), 300, "pre")
    texts = ["良い。", "".join(SENTENCES), "良い。"]
    assert columns(encoder.encode(texts)) == columns(encoder.by_mecab().encode(texts))
    assert tokenizer.n_left_to_mecab == 1
    assert encode_block(make_block(texts), encoder).block.segmentation == Segmentation({"compiled": 3}, 0, 1)


class Wrong:
    """A segmenter that takes the words of one text for another's."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        assert tokenizer.compiled
        self.right, self.text = tokenizer.compiled.segment, text.encode()
        tokenizer.compiled.segment = self.segment  # type: ignore[method-assign]

    def segment(self, texts: Sequence[bytes]) -> Segmented:
        return self.right(["海が".encode() if text == self.text else text for text in texts])


@pytest.fixture
def own_encoder() -> Encoder:
    return Encoder(Tokenizer(TokenizerConfig(), "compiled"), Vocabulary(["<pad>", "<oov>", *WORDS], 1), 300, "pre")


def test_a_text_with_other_words_ends_the_run_and_names_its_record(own_encoder: Encoder) -> None:
    block, wrong = make_block(SENTENCES[:1]), make_block(["海の日"])
    own = Witness(own_encoder)
    Wrong(own_encoder.tokenizer, "海の日")
    assert encode_block(block, own_encoder, own).block.segmentation == Segmentation({"compiled": 1}, 1)
    name = f"{wrong.sources[0]}:{wrong.positions[0]}"
    own = Witness(own_encoder)
    with pytest.raises(SaitenError, match=f"^{name}: the compiled segmenter .* --segmenter=mecab") as caught:
        encode_block(wrong, own_encoder, own)
    assert "海" not in str(caught.value)


def test_one_text_of_each_block_is_witnessed_and_every_thousandth(own_encoder: Encoder) -> None:
    own, seen = Witness(own_encoder, clock=lambda: 0.0), []
    for n in (1, 3, 1_500, 700, 5):
        texts = ["良い。"] * n
        seen.append(own.compare(texts, own_encoder.encode(texts), (), str))
    assert seen == [1, 1, 1, 1, 1]
    texts = ["良い。"] * 3_000
    assert own.compare(texts, own_encoder.encode(texts), (), str) == 3
    assert own.compare([], own_encoder.encode([]), (), str) == 0
    assert own.compare(["良い。"], own_encoder.encode(["良い。"]), {0}, str) == 0


def test_the_witness_takes_a_hundredth_of_the_time_and_no_more(own_encoder: Encoder) -> None:
    ticks = iter(np.arange(0, 1e6, 1.0))  # a second passes at each look at the clock
    own = Witness(own_encoder, clock=lambda: float(next(ticks)))
    encoded = own_encoder.encode(["良い。"])
    n = sum(own.compare(["良い。"], encoded, (), str) for _ in range(5_000))
    assert 30 < n < 80  # of 5,000 seconds a hundredth, one each


def test_a_bundle_is_not_made_with_a_segmenter_that_finds_other_words(own_encoder: Encoder) -> None:
    assert prove_segmenter(own_encoder.tokenizer, SENTENCES) == (
        "compiled; MeCab's tokens for 5 golden texts and 10,000 random ones"
    )
    Wrong(own_encoder.tokenizer, SENTENCES[2])
    with pytest.raises(BundleError, match="find other words in a text: give --segmenter=mecab, here and to score"):
        prove_segmenter(own_encoder.tokenizer, SENTENCES)


def test_the_random_texts_of_the_proof_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "random_texts", lambda n, _seed: iter(["海の日"] * n))
    segment = segmenter_module.Segmenter.segment
    monkeypatch.setattr(
        segmenter_module.Segmenter, "segment", lambda self, texts: segment(self, ["海が".encode() for _ in texts])
    )
    witness._prove_on_random.cache_clear()
    with pytest.raises(BundleError):
        prove_segmenter(Tokenizer(TokenizerConfig(), "compiled"), [])


def test_mecab_needs_no_witness(own_encoder: Encoder) -> None:
    assert witness_of(own_encoder.by_mecab()) is None
    assert isinstance(witness_of(own_encoder), Witness)


def mapped_kib(directory: pathlib.Path) -> int:
    """What this process has of a dictionary's files in memory, by whomever they are mapped."""
    smaps = pathlib.Path("/proc/self/smaps").read_text(encoding="utf-8", errors="replace")
    found = re.findall(
        rf"^[0-9a-f]+-.* {re.escape(str(directory.resolve()))}/.*\n(?:.*\n)*?Rss: +(\d+) kB$", smaps, re.MULTILINE
    )
    return sum(map(int, found))


@pytest.mark.skipif(not pathlib.Path("/proc/self/smaps").exists(), reason="only Linux tells")
def test_a_dictionarys_pages_are_given_back_and_read_again(own_encoder: Encoder) -> None:
    """A worker with two segmenters would hold the dictionary's pages twice."""
    directory, texts = own_encoder.tokenizer.dictionary.directory, list(random_texts(50, 2, SENTENCES))
    before = [own_encoder.tokenizer.segment_all(texts), own_encoder.by_mecab().tokenizer.segment_all(texts)]
    assert mapped_kib(directory) > 1_000
    release_pages(directory)
    assert mapped_kib(directory) == 0
    assert [own_encoder.tokenizer.segment_all(texts), own_encoder.by_mecab().tokenizer.segment_all(texts)] == before
