"""Text to tokens: one versioned rule, the same in training and in scoring.

In this order: control characters become spaces; a very long text is cut into pieces; each
piece is normalised and segmented by MeCab, where asked to words of some parts of speech and to
their dictionary forms; the result is lower-cased and filtered where a Keras `Tokenizer` did so;
tokens are what stands between ASCII spaces; stop words go, and a prefix and a suffix come.
"""

import dataclasses
import os
import re
import shlex
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from saiten.model.errors import RecordError, UsageError
from saiten.model.text.dictionary import find_dictionary
from saiten.model.text.features import is_kept, lemma_of

TOKENIZER_VERSION = 1

# MeCab's time is quadratic in a run of one character class: 100,000 digits take 8.7 s, 10,000
# take 0.1 s. It also keeps some 240 bytes for each byte of the longest text it has seen.
MAX_PIECE_CHARS = 10_000

# MeCab stops at NUL without a word, and takes CR and the other controls for words.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
# A line for each word: its surface and its features, as the dictionary has them.
_FEATURE_FORMAT = ("-O", "", r"-F%m\t%H\n", r"-U%m\t%H\n", r"-E\n")
_BREAKS = "。！？!? \u3000、"


@dataclass(frozen=True)
class TokenizerConfig:
    """Everything that decides how a text becomes tokens.

    Attributes:
        normalization: ``nfkc`` or ``none``.
        dictionary: ``unidic-lite``, ``unidic``, ``ipadic`` or a directory.
        user_dictionary: A compiled MeCab user dictionary, or None.
        lower: Lower-case the segmented text, as Keras' Tokenizer does.
        filters: Characters that become spaces after segmentation, as Keras' Tokenizer does.
        split: ``space``: other white space, such as U+3000, is a token, as after Python's `split(" ")`;
            ``whitespace``: it is none, as after `split()`.
        token_form: ``surface``, or ``lemma``: a word's dictionary form, where the dictionary has one.
        keep_pos: Only words of these parts of speech are tokens, such as ``名詞`` or ``名詞-固有名詞``; none keeps all.
        stop_words: Tokens that are left out.
        prefix_token: Put before a text's tokens, or None.
        suffix_token: Put behind them, or None.
        version: Of the rule itself; a bundle with another version is refused.
    """

    normalization: str = "nfkc"
    dictionary: str = "unidic-lite"
    user_dictionary: str | None = None
    lower: bool = False
    filters: str = ""
    split: str = "space"
    token_form: str = "surface"
    keep_pos: tuple[str, ...] = ()
    stop_words: tuple[str, ...] = ()
    prefix_token: str | None = None
    suffix_token: str | None = None
    version: int = TOKENIZER_VERSION

    def __post_init__(self) -> None:
        if self.normalization not in ("nfkc", "none"):
            raise UsageError(f"Normalization is nfkc or none, not {self.normalization!r}.")
        if self.split not in ("space", "whitespace"):
            raise UsageError(f"The split is space or whitespace, not {self.split!r}.")
        if self.token_form not in ("surface", "lemma"):
            raise UsageError(f"The token form is surface or lemma, not {self.token_form!r}.")
        for token in (*self.stop_words, *self.keep_pos, self.prefix_token, self.suffix_token):
            if token is not None and (not token or " " in token):
                raise UsageError(f"A token and a part of speech have no space and are not empty; not {token!r:.100}.")
        if self.version != TOKENIZER_VERSION:
            raise UsageError(f"Tokenizer version {self.version} is not {TOKENIZER_VERSION}, the one this saiten has.")

    def to_dict(self) -> dict[str, Any]:
        """Returns the settings as JSON holds them."""
        return dataclasses.asdict(self)


class Tokenizer:
    """MeCab with one rule around it. Pickles as its configuration.

    >>> Tokenizer(TokenizerConfig()).tokenize("とても美味しい。")
    ['とても', '美味しい', '。']

    Safe for threads, which take turns: MeCab keeps one lattice a Tagger.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        import MeCab

        self.config = config
        self.dictionary = find_dictionary(config.dictionary)
        # unidic, where it is installed, would be taken before unidic-lite: name the dictionary. A mecabrc, be it
        # the dictionary's own, could name a further one that no hash in the bundle speaks of.
        words = ["-r", os.devnull, "-d", str(self.dictionary.directory)]
        self._reads_features = config.token_form == "lemma" or bool(config.keep_pos)
        words += [*_FEATURE_FORMAT] if self._reads_features else ["-Owakati"]
        # Quoted for the binding's shlex.split: a path from a bundle must not become an option.
        arguments = shlex.join([*words, *(["-u", config.user_dictionary] if config.user_dictionary else [])])
        try:
            self._tagger = MeCab.Tagger(arguments)
        except RuntimeError as error:
            raise UsageError(
                f"MeCab refused its arguments {arguments!r}: check dictionary and user dictionary."
            ) from error
        self._turn = threading.Lock()
        self._filter_table = str.maketrans(dict.fromkeys(config.filters, " "))
        self._stop_words = frozenset(config.stop_words)

    def __reduce__(self) -> tuple[type["Tokenizer"], tuple[TokenizerConfig]]:
        return Tokenizer, (self.config,)

    def tokenize(self, text: str) -> list[str]:
        """Returns the text's tokens.

        Raises:
            RecordError: ``BAD_UNICODE`` for a lone surrogate, ``TOKENIZER_ERROR`` where MeCab gives up.
        """
        segmented = self.segment(text)
        return segmented.split(" ") if segmented else []

    def segment(self, text: str) -> str:
        """Returns the text's tokens with one ASCII space between them, ``""`` where there is none.

        Raises:
            RecordError: As `tokenize`.
        """
        text = _CONTROLS.sub(" ", text)
        if len(text) <= MAX_PIECE_CHARS:
            segmented = self._segment_piece(text)
        else:
            segmented = " ".join(filter(None, map(self._segment_piece, cut_text(text))))
        if self.config.lower:
            segmented = segmented.lower()
        if self._filter_table:
            segmented = " ".join(filter(None, segmented.translate(self._filter_table).split(" ")))
        if self.config.split == "whitespace":
            segmented = " ".join(segmented.split())
        if self._stop_words:
            segmented = " ".join(token for token in segmented.split(" ") if token not in self._stop_words)
        if segmented:  # a text without words stays empty: its score would be that of the prefix
            segmented = " ".join(filter(None, (self.config.prefix_token, segmented, self.config.suffix_token)))
        return segmented

    def normalize(self, text: str) -> str:
        """Returns the text as MeCab sees it, pieces put together again."""
        pieces = cut_text(_CONTROLS.sub(" ", text))
        return "".join(map(self._normalize_piece, pieces))

    def _segment_piece(self, piece: str) -> str:
        piece = self._normalize_piece(piece)
        if len(piece) > MAX_PIECE_CHARS:  # NFKC makes up to 18 characters of one
            return " ".join(filter(None, map(self._parse, cut_text(piece))))
        return self._parse(piece)

    def _normalize_piece(self, piece: str) -> str:
        if self.config.normalization == "none" or unicodedata.is_normalized("NFKC", piece):
            return piece
        return unicodedata.normalize("NFKC", piece)

    def _parse(self, piece: str) -> str:
        try:
            with self._turn:
                parsed = self._tagger.parse(piece)
        except (TypeError, UnicodeEncodeError) as error:  # how SWIG says "not UTF-8"
            raise RecordError("BAD_UNICODE", "the text holds a lone surrogate") from error
        if parsed is None:
            raise RecordError("TOKENIZER_ERROR", f"MeCab gave up on a piece of {len(piece)} characters")
        if self._reads_features:
            return " ".join(self._chosen(str(parsed)))
        return str(parsed).strip(" \n")

    def _chosen(self, parsed: str) -> Iterator[str]:
        """Yields the words of MeCab's lines that are kept, in the form that is asked for."""
        for line in filter(None, parsed.split("\n")):
            surface, _, features = line.partition("\t")
            if self.config.keep_pos and not is_kept(features, self.config.keep_pos):
                continue
            yield lemma_of(surface, features) if self.config.token_form == "lemma" else surface


def cut_text(text: str, limit: int = MAX_PIECE_CHARS) -> Iterator[str]:
    """Yields pieces of at most `limit` characters that together are the text.

    A piece ends after the last sentence end, comma or space in its second half, so that words
    stay whole; where there is none, at the limit. Texts up to the limit stay whole: cutting
    at every sentence end would change the tokens of 2.7 % of news articles.
    """
    start = 0
    while len(text) - start > limit:
        half, end = start + limit // 2, start + limit
        last_break = max(text.rfind(mark, half, end) for mark in _BREAKS)
        cut = last_break + 1 if last_break >= 0 else end
        yield text[start:cut]
        start = cut
    yield text[start:]
