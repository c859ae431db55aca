"""A bundle loaded into this process: scores of texts, without files and without a pipeline."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from saiten.model.bundle.explain import Explanation, explain_text
from saiten.model.errors import BundleError, RecordError
from saiten.model.text.ragged import FloatArray
from saiten.pipelines import storage
from saiten.pipelines.library.scorer import Scorer, load_scorer

# So many are tokenized and scored together: enough for both, and memory does not grow with the list.
_BATCH_TEXTS = 2048


class Bundle:
    """A model with its tokenizer, loaded and tried; `load` makes it.

    >>> bundle = saiten.load("bundles/reviews")
    >>> bundle.outputs
    ('taste', 'service')

    One bundle serves all threads of a process, such as those of a web server. MeCab keeps Python's lock while it
    works, so more threads do not tokenize more: processes do. A bundle pickles as the path it was loaded from.

    Attributes:
        path: Where it was loaded from, absolute.
        bundle_id: The sha256 that names it.
        outputs: Names of the scores, in the order of `score`'s columns.
        task: What the scores are: ``numbers``, ``labels`` (a probability each), or ``classes`` (exclusive: their
            probabilities sum to 1).
        engine: ``packed`` or ``keras``: what computes the scores.
    """

    def __init__(self, path: str, scorer: Scorer, *, trusted: bool) -> None:
        self.path = path
        self.bundle_id = scorer.bundle_id
        self.outputs = scorer.outputs
        self.task = scorer.task
        self.engine = scorer.engine.name
        self._scorer = scorer
        self._trusted = trusted

    def __repr__(self) -> str:
        return f"Bundle({self.path!r}, outputs={self.outputs}, engine={self.engine!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_again, (self.path, self.bundle_id, self.engine, self._trusted)

    def score(self, texts: Iterable[str]) -> FloatArray:
        """Scores texts; a text's scores are the same whatever other texts come with it.

        >>> bundle = saiten.load("bundles/reviews")
        >>> bundle.score(["とても美味しいラーメンでした。", ""]).round(2)
        array([[0.29, 0.1 ],
               [ nan,  nan]], dtype=float32)

        Args:
            texts: As many as you like, as strings: a list, a column of a data frame.

        Returns:
            float32 [n, outputs], in the order of the texts. The row of a text without tokens (empty, or white space
            alone) is NaN, and no other row ever is.

        Raises:
            TypeError: Not strings, or a single one.
            RecordError: One of the texts cannot be scored: it holds a lone surrogate, MeCab gave up, or the model
                did. The message says which text.
        """
        texts = _as_list(texts)
        scores = np.zeros((len(texts), len(self.outputs)), np.float32)
        for start in range(0, len(texts), _BATCH_TEXTS):
            batch = texts[start : start + _BATCH_TEXTS]
            scored = self._scorer.score(batch)
            for i, (code, message) in sorted(scored.failures.items()):
                raise RecordError(code, f"{message} (texts[{start + i}])")
            scores[start : start + len(batch)] = np.where(scored.is_empty[:, None], np.float32(np.nan), scored.scores)
        return scores

    def explain(self, text: str) -> Explanation:
        """Returns what becomes of one text: its normal form, its tokens with their ids, its scores.

        >>> explanation = saiten.load("bundles/reviews").explain("ﾗｰﾒﾝが美味しい。")
        >>> explanation.normal_form
        'ラーメンが美味しい。'
        >>> [(token.surface, token.fate) for token in explanation.tokens]
        [('ラーメン', 'read'), ('が', 'read'), ('美味しい', 'read'), ('。', 'read')]

        Raises:
            UsageError: The text cannot be tokenized.
        """
        return explain_text(self._scorer.encoder, self._scorer.engine, text)


def load(path: str | os.PathLike[str], *, engine: str = "auto", trust_bundle: bool = False) -> Bundle:
    """Loads a bundle into this process, once everything that decides a score was compared with its manifest.

    >>> saiten.load("bundles/reviews").score(["駅から遠い。"]).shape
    (1, 2)

    Args:
        path: The bundle's directory, local or on an object store.
        engine: ``packed``, ``keras``, or ``auto`` for packed where the bundle has it. The packed engine imports no
            TensorFlow, and compiles its kernels at its first use on a machine.
        trust_bundle: Let through layer classes that Saiten does not build. They run code of whoever made the bundle.

    Raises:
        BundleError: There is none, or a hash, a version, the dictionary or a golden score differs.
        UsageError: The keras engine is asked for and TensorFlow is not installed.
    """
    path = os.fspath(path)
    place = path if storage.is_remote(path) else os.path.abspath(path)
    return Bundle(place, load_scorer(path, engine, trusted=trust_bundle), trusted=trust_bundle)


def _load_again(path: str, bundle_id: str, engine: str, trusted: bool) -> Bundle:
    """What a pickled bundle becomes: the one that lies at its path, if it is still that one."""
    bundle = load(path, engine=engine, trust_bundle=trusted)
    if bundle.bundle_id != bundle_id:
        raise BundleError(f"The bundle at {path} is {bundle.bundle_id}, but {bundle_id} was loaded from there before.")
    return bundle


def _as_list(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, str):
        raise TypeError("score takes a list of texts, not one string: score([text]).")
    texts = list(texts)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts[{i}] is {type(text).__name__}, not a string.")
    return texts
