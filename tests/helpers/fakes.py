"""Stand-ins that behave in known ways."""

import itertools
from collections.abc import Sequence

import numpy as np

from saiten.model.text.encoder import EncodedTexts
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray
from saiten.pipelines.records import EncodedBlock, RecordBlock, ScoredBlock, SourceSpan, WorkRange
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.run_plan import PlannedFile, RowSettings, RunPlan, record_plan
from saiten.pipelines.steps.infer import score_block

POISON_ID = 13


class FakeEngine:
    """Scores a text by its ids alone: their sum, and how many there are."""

    name = "fake"
    n_outputs = 2

    def __init__(self) -> None:
        self.batches: list[int] = []

    def score(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        self.batches.append(len(offsets) - 1)
        sums = [int(token_ids[start:end].sum()) for start, end in itertools.pairwise(offsets)]
        return np.array(list(zip(sums, np.diff(offsets), strict=True)), np.float32).reshape(-1, 2)


class FaultyEngine(FakeEngine):
    """Goes wrong whenever a batch holds `POISON_ID`.

    Args:
        fault: ``raise``, ``too_few``, ``too_many``, ``wrong_shape``, ``transposed``, or ``nan`` and ``infinite``
            for the row alone.
    """

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault

    def score(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        scores = super().score(token_ids, offsets)
        poisoned = [POISON_ID in token_ids[a:b] for a, b in itertools.pairwise(offsets)]
        if not any(poisoned):
            return scores
        if self.fault == "raise":
            raise RuntimeError("a secret of the record")
        if self.fault in ("nan", "infinite"):
            scores[poisoned] = np.nan if self.fault == "nan" else np.inf
        return {
            "too_few": scores[:-1],
            "too_many": np.concatenate([scores, scores]),
            "wrong_shape": scores[:, :1],
            "transposed": scores.T,
        }.get(self.fault, scores)


def make_block(
    texts: Sequence[str], *, range_index: int = 0, is_last: bool = True, source: str = "a.txt"
) -> RecordBlock:
    """Returns a block of texts as a text file gives them."""
    raws = [text.encode() for text in texts]
    positions = [sum(len(raw) + 1 for raw in raws[:i]) for i in range(len(raws))]
    return RecordBlock(
        range_index=range_index,
        is_last=is_last,
        spans=(SourceSpan(source, len(texts), len(texts)),),
        positions=positions,
        ids=[f"{source}:{position}" for position in positions],
        texts=list(texts),
        raw_records=raws,
        n_bytes=sum(map(len, raws)),
    )


def make_scored_block(
    texts: Sequence[str],
    *,
    range_index: int = 0,
    is_last: bool = True,
    dead: Sequence[int] = (),
) -> ScoredBlock:
    """Scores texts whose ids are their characters' code points; the dead ones fail while they are read."""
    block = make_block(texts, range_index=range_index, is_last=is_last)
    block = block.move_to_dead_letters(dict.fromkeys(dead, ("BAD_JSON", "not JSON")), "read")
    lengths = np.array([len(text) for text in block.texts], np.int32)
    token_ids = np.array([ord(character) for text in block.texts for character in text], np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    encoded = EncodedTexts(token_ids, offsets, lengths, np.zeros_like(lengths), np.zeros(len(lengths), np.bool_))
    return score_block(EncodedBlock(block, encoded), FakeEngine())


def record_a_plan(run: Run, *, n_ranges: int = 1, id_field: str | None = None) -> None:
    """Records what a run sets out to do: ranges of nothing, of one file of ten bytes."""
    settings = RowSettings(
        bundle_id=run.bundle_id,
        engine="fake",
        input_format="auto",
        encoding="utf-8",
        text_field="text",
        id_field=id_field,
        keep_fields=[],
        max_record_bytes=10,
        no_raw=False,
    )
    inputs = {"a.txt": PlannedFile("in/a.txt", 10, "1")}
    record_plan(run, RunPlan(run.run_id, 0.0, settings, inputs, tuple(WorkRange(i, ()) for i in range(n_ranges))))
