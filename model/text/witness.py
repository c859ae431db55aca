"""MeCab beside the compiled segmenter: the same tokens, or no result."""

import functools
import time
from collections.abc import Callable, Collection, Sequence

import numpy as np

from saiten.model.errors import BundleError, SaitenError
from saiten.model.text.encoder import EncodedTexts, Encoder
from saiten.model.text.random_texts import random_texts
from saiten.model.text.segmenter.pages import release_pages
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig

N_RANDOM = 10_000
_SEED = 15
_BLOCK_TEXTS = 500
# Every thousandth text, and one of each block, but no more than a hundredth of the time, and none that takes a second.
_EVERY = 1_000
_SHARE = 0.01
_MAX_CHARS = 100_000
# Goes through a block's places without a pattern that texts could follow.
_STRIDE = 7_919


class Witness:
    """Gives a few of the texts that are encoded to MeCab too.

    Args:
        encoder: What encodes them, by the compiled segmenter.
        clock: Seconds.
    """

    def __init__(self, encoder: Encoder, clock: Callable[[], float] = time.perf_counter) -> None:
        self._mecab = encoder.by_mecab()
        self._directory = encoder.tokenizer.dictionary.directory
        self._clock, self._started, self._secs = clock, clock(), 0.0
        self._n_texts = 0

    def compare(
        self, texts: Sequence[str], encoded: EncodedTexts, failed: Collection[int], name: Callable[[int], str]
    ) -> int:
        """Encodes some of a block's texts by MeCab; returns how many.

        Args:
            encoded: What the compiled segmenter led to.
            failed: Which could not be encoded.
            name: Gives the name of the record of a text.

        Raises:
            SaitenError: MeCab leads to another sequence of ids.
        """
        first, self._n_texts = self._n_texts, self._n_texts + len(texts)
        chosen = [*range(-first % _EVERY, len(texts), _EVERY)] or [first * _STRIDE % len(texts)] if texts else []
        n = 0
        for i in chosen:
            if self._secs > _SHARE * (self._clock() - self._started) or i in failed or len(texts[i]) > _MAX_CHARS:
                continue
            began = self._clock()
            release_pages(self._directory)  # never those of both at once
            is_same = _is_same(encoded, i, self._mecab.encode([texts[i]]))
            release_pages(self._directory)
            if not is_same:
                raise SaitenError(
                    f"{name(i)}: the compiled segmenter and MeCab find other words in its text; nothing was committed. "
                    "Run again with --segmenter=mecab, and report it."
                )
            self._secs += self._clock() - began
            n += 1
        return n


def witness_of(encoder: Encoder) -> Witness | None:
    """Returns a witness, None where MeCab itself finds the words."""
    return Witness(encoder) if encoder.tokenizer.compiled else None


def prove_segmenter(tokenizer: Tokenizer, texts: Sequence[str]) -> str:
    """Compares the compiled segmenter with MeCab on some texts and on 10,000 random ones; says what came out.

    Raises:
        BundleError: A text has other tokens.
    """
    if not tokenizer.compiled:
        return f"MeCab{f', because {tokenizer.why_mecab}' if tokenizer.why_mecab else ''}"
    _compare(tokenizer, tokenizer.by_mecab(), texts)
    _prove_on_random(tokenizer.config)
    return f"compiled; MeCab's tokens for {len(texts)} golden texts and {N_RANDOM:,} random ones"


@functools.lru_cache(maxsize=4)
def _prove_on_random(config: TokenizerConfig) -> None:
    """Once a process: the dictionary's files were compared before, and the texts are always the same."""
    compiled = Tokenizer(config, "compiled")
    mecab = compiled.by_mecab()
    texts = list(random_texts(N_RANDOM, _SEED))
    for start in range(0, N_RANDOM, _BLOCK_TEXTS):
        _compare(compiled, mecab, texts[start : start + _BLOCK_TEXTS])


def _compare(compiled: Tokenizer, mecab: Tokenizer, texts: Sequence[str]) -> None:
    if compiled.segment_all(texts)[0] != mecab.segment_all(texts)[0]:
        raise BundleError(
            "The compiled segmenter and MeCab find other words in a text: give --segmenter=mecab, here and to score, "
            "and report it."
        )


def _is_same(encoded: EncodedTexts, i: int, other: EncodedTexts) -> bool:
    own = encoded.token_ids[encoded.offsets[i] : encoded.offsets[i + 1]]
    counts = (encoded.n_tokens[i], encoded.n_oov[i])
    return np.array_equal(own, other.token_ids) and counts == (other.n_tokens[0], other.n_oov[0])
