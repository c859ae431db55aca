"""Golden records: texts with the tokens, ids and Keras scores that every worker must find again."""

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from saiten.model.counted import counted
from saiten.model.engines.engine import Engine, scaled_difference
from saiten.model.errors import BundleError
from saiten.model.text.encoder import EncodedTexts, Encoder
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray, offsets_of
from saiten.model.text.vocabulary import Vocabulary

# Engines differ by 1e-6; other processors and library versions may differ by some more.
GOLDEN_TOLERANCE = 1e-5
# Of a model that amplifies rounding: each of two machines rounds to its own side, on some texts more than on others.
_TIMES_ROUNDING, MOST_GOLDEN_TOLERANCE = 8, 1e-2
N_GOLDEN = 32
_MAX_CHARS = 20_000

# Of all records together, well above what `choose_golden_texts` gives: replaying has no deadline.
_MAX_RECORDS = 1_000
_MAX_TOTAL = 2_000_000

# Every tokenizer rule, a word that no vocabulary has, and the shortest and odd texts there are.
_ODD_TEXTS = (
    "良い",
    "。",
    "とても美味しい料理でした。",
    "ﾃｽﾄのﾊﾝｶｸ仮名とＡＢＣ１２３",
    "Mixed ASCII, symbols: #$%&(x) and 日本語",
    "改行\nと\tタブ\u3000全角空白",
    "絵文字😀🇯🇵👨‍👩‍👧と𠮷野家",
    "ゔゔゑゐヷヸ゛゜ 鿿䶵",
    "株式会社㍿①②③㈱",
    "1234567890" * 30,
    "長い文章を繰り返します。" * 400,
    "zqxjkvbp",
)


@dataclass(frozen=True)
class GoldenRecord:
    """One text with all that was found for it when the bundle was written.

    Attributes:
        tokens: Before truncation.
        token_ids: After it.
        scores: Of the Keras model; empty where no id is left.
    """

    text: str
    tokens: tuple[str, ...]
    token_ids: tuple[int, ...]
    scores: tuple[float, ...]


def choose_golden_texts(texts: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    """Returns 32 texts or more: short, long and in between of those given, odd ones, and some of the model's words.

    Args:
        texts: As many or few as there are.
        vocabulary: Gives words, so that even an English model without texts finds some it knows.
    """
    by_length = sorted({text for text in texts if text and len(text) <= _MAX_CHARS}, key=lambda text: (len(text), text))
    chosen = [by_length[i * len(by_length) // N_GOLDEN] for i in range(N_GOLDEN)] if by_length else []
    words = list(vocabulary.ids)
    known = [" ".join(words[i * 7 : i * 7 + 1 + i * i])[:_MAX_CHARS] for i in range(8)]
    missing = max(0, N_GOLDEN - len(set(chosen)))
    varied = [f"{odd} 第{n}版" for n in range(2, 5) for odd in _ODD_TEXTS]
    return list(dict.fromkeys([*chosen, *filter(None, known), *_ODD_TEXTS, *varied[:missing]]))


def make_golden(encoder: Encoder, engine: Engine, texts: Sequence[str]) -> list[GoldenRecord]:
    """Tokenizes, encodes and scores the texts; those that cannot be tokenized are left out."""
    _, errors = encoder.tokenizer.segment_all(texts)
    good = [text for i, text in enumerate(texts) if i not in errors]
    encoded = encoder.encode(good)
    scores = engine.score(encoded.token_ids, encoded.offsets)
    return [
        GoldenRecord(
            text, tuple(encoder.tokenizer.tokenize(text)), ids_of_text(encoded, i), tuple(map(float, scores[i]))
        )
        if encoded.lengths[i]
        else GoldenRecord(text, tuple(encoder.tokenizer.tokenize(text)), (), ())
        for i, text in enumerate(good)
    ]


def rounding_tolerance(single: FloatArray, exact: FloatArray, least: float = GOLDEN_TOLERANCE) -> float:
    """Returns what scores of one model may differ by, scaled, between machines that round otherwise; 1e-2 at most.

    A network that sums up large numbers, or multiplies what is left of their difference, amplifies rounding: how much
    is seen by how far single precision is from double.

    Args:
        single: The model's scores in single precision, [n, outputs].
        exact: In double precision.
        least: What is allowed where nothing is amplified.
    """
    return min(max(least, _TIMES_ROUNDING * scaled_difference(single, exact)), MOST_GOLDEN_TOLERANCE)


def save_golden(path: pathlib.Path, records: Sequence[GoldenRecord]) -> None:
    """Writes the records as JSON, a line each."""
    lines = [json.dumps(dataclasses.asdict(record), ensure_ascii=False, allow_nan=False) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def load_golden(path: pathlib.Path, n_outputs: int) -> list[GoldenRecord]:
    """Reads what `save_golden` wrote.

    Raises:
        BundleError: A line is no golden record, or there are fewer than 32, or more than workers can replay.
    """
    try:
        # Not splitlines: JSON leaves U+2028 and U+0085 as they are, and a text may hold them.
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        records = [_record(json.loads(line), n_outputs) for line in lines]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise BundleError(f"{path} holds a line that is no golden record; make the bundle anew.") from error
    if len(records) < N_GOLDEN or not any(record.token_ids for record in records):
        raise BundleError(
            f"{path} holds {counted(len(records), 'golden record')}; a bundle has {N_GOLDEN} or more: make it anew."
        )
    total = sum(max(len(record.text), len(record.tokens), len(record.token_ids)) for record in records)
    if len(records) > _MAX_RECORDS or total > _MAX_TOTAL:
        raise BundleError(
            f"{path} holds {len(records):,} golden records of {total:,} characters or tokens; "
            f"{_MAX_RECORDS:,} of {_MAX_TOTAL:,} together are the most: make it anew, with fewer --sample_texts."
        )
    return records


def ids_of(records: Sequence[GoldenRecord]) -> tuple[IntArray, Int64Array]:
    """Returns the records' ids end to end, int32 [total], and their offsets, int64 [n + 1]."""
    lengths = [len(record.token_ids) for record in records]
    token_ids = np.array([token_id for record in records for token_id in record.token_ids], np.int32)
    return token_ids, offsets_of(lengths)


def scores_of(records: Sequence[GoldenRecord]) -> FloatArray:
    """Returns the recorded scores, float32 [n, outputs], of records that all have some."""
    return np.array([record.scores for record in records], np.float32)


def ids_of_text(encoded: EncodedTexts, i: int) -> tuple[int, ...]:
    """Returns the ids of one text."""
    return tuple(encoded.token_ids[encoded.offsets[i] : encoded.offsets[i + 1]].tolist())


def _record(line: dict[str, Any], n_outputs: int) -> GoldenRecord:
    record = GoldenRecord(str(line["text"]), *(tuple(line[key]) for key in ("tokens", "token_ids", "scores")))
    if len(record.scores) != (n_outputs if record.token_ids else 0):
        raise ValueError("a golden record has another number of scores")
    if any(type(token_id) is not int for token_id in record.token_ids):
        raise TypeError("an id is no integer")
    np.array(record.token_ids, np.int32)
    np.array(record.scores, np.float32)
    return record
