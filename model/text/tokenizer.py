"""Text to tokens: one versioned rule, the same in training and in scoring.

Control characters become spaces; a very long text is cut into pieces; each is normalised and segmented, where asked
to words of some parts of speech and dictionary forms; the result is lower-cased and filtered where a Keras `Tokenizer`
did so; tokens are what stands between ASCII spaces, or whole words where they are never joined; stop words go, and a
prefix and a suffix come.
"""

import dataclasses
import itertools
import os
import shlex
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saiten.model.errors import LeftToMeCabError, RecordError, UsageError
from saiten.model.text.dictionary import find_dictionary
from saiten.model.text.features import LINES, TOKEN_FORMS, chosen_words
from saiten.model.text.pieces import BAD_UNICODE, cut_all, pieces_of, sort_out
from saiten.model.text.segmented import as_token, joined, tokens_of

if TYPE_CHECKING:
    from saiten.model.text.segmenter.segmenter import Segmented, Segmenter

# Version 1 took a word as it is written where its lemma holds a space; bundles that say so go on as they did.
TOKENIZER_VERSION = 2
SEGMENTERS = ("auto", "mecab", "compiled")
SPLITS = ("none", "space", "strip", "whitespace")


@dataclass(frozen=True)
class TokenizerConfig:
    """Everything that decides how a text becomes tokens.

    Attributes:
        normalization: ``nfkc`` or ``none``.
        dictionary: ``unidic-lite``, ``unidic``, ``ipadic`` or a directory.
        user_dictionary: A compiled MeCab user dictionary, or None.
        lower, filters: Lower-case the segmented text, and make these characters spaces, as Keras' Tokenizer does.
        split: ``none``: words are tokens, also one that holds a space; ``space``: they were joined and cut by Python's
            `split(" ")`, and white space such as U+3000 is a token; ``strip``: not at a text's ends, as after
            `strip()`; ``whitespace``: nowhere, as after `split()`.
        token_form: ``surface``; ``lemma``: the dictionary form; ``short-lemma``: that up to its first ``-``; ``base``:
            the dictionary form as it is written. A word that has none is taken as it is written.
        keep_pos: Only words of these parts of speech are tokens, such as ``名詞`` or ``名詞-固有名詞``; none keeps all.
        stop_words: Tokens that are left out.
        prefix_token, suffix_token: Put before a text's tokens, and behind them, or None.
        version: Of the rule itself: 2, or 1 of older bundles; a bundle with another one is refused.
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
        for what, value, known in (("split", self.split, SPLITS), ("token form", self.token_form, TOKEN_FORMS)):
            if value not in known:
                raise UsageError(f"The {what} is {', '.join(known)}, not {value!r}.")
        if any(not part or " " in part for part in self.keep_pos):
            raise UsageError(f"A part of speech has no space and is not empty; not {self.keep_pos!r:.100}.")
        for token in (*self.stop_words, self.prefix_token, self.suffix_token):
            if token is not None and (not token or (" " in token and self.split != "none")):
                raise UsageError(f"A token is not empty, and has no space but with --split=none; not {token!r:.100}.")
        if self.version not in (1, TOKENIZER_VERSION):
            raise UsageError(f"Tokenizer version {self.version} is none of 1 and 2, those this saiten has.")

    def to_dict(self) -> dict[str, Any]:
        """Returns the settings as JSON holds them."""
        return dataclasses.asdict(self)


class Tokenizer:
    """MeCab's words with one rule around them. Pickles as its configuration.

    >>> Tokenizer(TokenizerConfig()).tokenize("とても美味しい。")
    ['とても', '美味しい', '。']

    Safe for threads, which take turns: MeCab keeps one lattice a Tagger.

    Args:
        config: The rule.
        segmenter: Who finds the words: ``mecab``; ``compiled``, a search of our own, which finds the same ones sooner;
            or ``auto``, that one where it covers the dictionary.

    Attributes:
        segmenter: ``mecab`` or ``compiled``, whichever it is.
        why_mecab: Why ``auto`` is MeCab; ``""`` where it is not.
        n_left_to_mecab: Texts of which a piece was more than the compiled segmenter is prepared for.

    Raises:
        UsageError: The dictionary is not there or will not do.
    """

    def __init__(self, config: TokenizerConfig, segmenter: str = "auto") -> None:
        import MeCab

        self.config = config
        if config.user_dictionary and not os.path.isfile(config.user_dictionary):
            raise UsageError(
                f"There is no user dictionary at {config.user_dictionary}; give a file that mecab-dict-index has made."
            )
        self.dictionary = find_dictionary(config.dictionary)
        # unidic, where it is installed, would be taken before unidic-lite: name the dictionary. A mecabrc, be it
        # the dictionary's own, could name a further one that no hash in the bundle speaks of.
        words = ["-r", os.devnull, "-d", str(self.dictionary.directory)]
        self._reads_features = config.token_form != "surface" or bool(config.keep_pos)
        words += [*LINES] if self._reads_features or self.keeps_spaces else ["-Owakati"]
        # Quoted for the binding's shlex.split: a path from a bundle must not become an option.
        arguments = shlex.join([*words, *(["-u", config.user_dictionary] if config.user_dictionary else [])])
        try:
            self._tagger = MeCab.Tagger(arguments)
        except RuntimeError as error:
            raise UsageError(f"MeCab refused {arguments!r}: check dictionary and user dictionary.") from error
        self._turn = threading.Lock()
        self._filter_table = str.maketrans(dict.fromkeys(config.filters, " "))
        self._stop_words = frozenset(map(as_token, config.stop_words))
        self._added = [token and as_token(token) for token in (config.prefix_token, config.suffix_token)]
        self._asked_for, self.why_mecab, self.n_left_to_mecab = segmenter, "", 0
        self.compiled: Segmenter | None = self._load_compiled(segmenter)
        self.segmenter = "compiled" if self.compiled else "mecab"

    def __reduce__(self) -> tuple[type["Tokenizer"], tuple[TokenizerConfig, str]]:
        return Tokenizer, (self.config, self._asked_for)

    def by_mecab(self) -> "Tokenizer":
        """Returns this tokenizer, its tagger included, but that MeCab finds the words."""
        other = object.__new__(Tokenizer)  # a copy would make another tagger
        vars(other).update(vars(self), _asked_for="mecab", compiled=None, segmenter="mecab")
        return other

    @property
    def keeps_spaces(self) -> bool:
        """Whether a token may hold a space."""
        return self.config.split == "none"

    @property
    def changes_words(self) -> bool:
        """Whether tokens are more or less than the words that were found."""
        config = self.config
        given = (config.lower, config.filters, config.stop_words, *self._added, config.split != "space")
        return self._reads_features or any(given)

    def tokenize(self, text: str) -> list[str]:
        """Returns the text's tokens.

        Raises:
            RecordError: ``BAD_UNICODE`` for a lone surrogate, ``TOKENIZER_ERROR`` where MeCab gives up.
        """
        return tokens_of(self.segment(text))

    def segment(self, text: str) -> str:
        """Returns the tokens as one string, see `saiten.model.text.segmented`; raises as `tokenize`."""
        (segmented,), errors = self.segment_all([text])
        if errors:
            raise errors[0]
        return segmented

    def segment_all(self, texts: Sequence[str]) -> tuple[list[str], dict[int, RecordError]]:
        """Segments texts; a bad one costs only itself.

        Returns:
            The segmented texts, ``""`` for a failed one, and the errors by position.
        """
        if self.compiled is None:
            return sort_out(
                lambda text: self._finish(map(self.parse, pieces_of(text, self.config.normalization))), texts, ""
            )
        pieces, n_pieces, errors = cut_all(texts, self.config.normalization)
        found = zip(pieces, self.segment_cut(pieces).surfaces(), strict=True)
        by_text = [list(itertools.islice(found, n)) for n in n_pieces]
        self.n_left_to_mecab += sum(any(words is None for _, words in each) for each in by_text)
        waiting = iter(by_text)
        segmented, given_up = sort_out(lambda _: self._finish(self._joined(*each) for each in next(waiting)), texts, "")
        return segmented, given_up | errors

    def segment_cut(self, pieces: Sequence[bytes]) -> "Segmented":
        """Gives pieces to the compiled segmenter, which must be there."""
        assert self.compiled is not None
        with self._turn:
            return self.compiled.segment(pieces)

    def normalize(self, text: str) -> str:
        """Returns the text as MeCab sees it, pieces put together again."""
        return "".join(pieces_of(text, self.config.normalization))

    def _load_compiled(self, asked_for: str) -> "Segmenter | None":
        if asked_for not in SEGMENTERS:
            raise UsageError(f"The segmenter is {', '.join(SEGMENTERS)}, not {asked_for!r}.")
        if asked_for == "mecab":
            return None
        from saiten.model.text.segmenter.segmenter import Segmenter

        try:
            if self._reads_features:
                raise LeftToMeCabError("dictionary forms and parts of speech are MeCab's to say")
            return Segmenter(self.dictionary.directory, self.config.user_dictionary)
        except LeftToMeCabError as error:
            if asked_for == "compiled":
                raise UsageError(f"The compiled segmenter will not do: {error}; take mecab or auto.") from error
            self.why_mecab = str(error)
            return None

    def _joined(self, piece: bytes, words: list[str] | None) -> str:
        return self.parse(piece.decode()) if words is None else joined(words, whole=self.keeps_spaces)

    def _finish(self, pieces: Iterable[str]) -> str:
        segmented = " ".join(filter(None, pieces))
        if self.config.split == "strip":
            segmented = segmented.strip()
        if self.config.lower:
            segmented = segmented.lower()
        if self._filter_table:
            segmented = " ".join(filter(None, segmented.translate(self._filter_table).split(" ")))
        if self.config.split == "whitespace":
            segmented = " ".join(segmented.split())
        if self._stop_words:
            segmented = " ".join(token for token in segmented.split(" ") if token not in self._stop_words)
        if segmented:  # a text without words stays empty: its score would be that of the prefix
            segmented = " ".join(filter(None, (self._added[0], segmented, self._added[1])))
        return segmented

    def parse(self, piece: str) -> str:
        """Returns the words that MeCab finds in a piece, with spaces between; see `tokenize` for what it raises."""
        try:
            with self._turn:
                parsed = self._tagger.parse(piece)
        except (TypeError, UnicodeEncodeError) as error:  # how SWIG says "not UTF-8"
            raise RecordError(*BAD_UNICODE) from error
        if parsed is None:
            raise RecordError("TOKENIZER_ERROR", f"MeCab gave up on a piece of {len(piece)} characters")
        if self._reads_features or self.keeps_spaces:
            config = self.config
            words = chosen_words(str(parsed), config.token_form, config.keep_pos, as_version_1=config.version == 1)
            return " ".join(
                filter(None, joined(words, whole=self.keeps_spaces).split(" "))
            )  # a lemma may end with a space
        return str(parsed).strip(" \n")
