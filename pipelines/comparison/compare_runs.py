"""Compares two runs: which records both hold, and what became of their scores."""

import heapq
import pathlib
import tempfile
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from saiten.model.counted import counted
from saiten.model.errors import UsageError
from saiten.model.text.ragged import FloatArray, Int64Array
from saiten.pipelines.comparison.changes import OutputChanges
from saiten.pipelines.comparison.join import Matches, match_rows
from saiten.pipelines.comparison.label_changes import LabelChanges
from saiten.pipelines.comparison.partitions import (
    Partition,
    count_partitions,
    has_labels,
    partition_run,
    read_partition,
)
from saiten.pipelines.run.run_manifest import RunManifest, counts_line

_MOST_RANKS = 1_000
# 8 bytes each, for all outputs together.
_RANK_CELLS = 16_000_000
_NAMED_IDS = 10


@dataclass(frozen=True, order=True)
class MovedRecord:
    """A record and the one of its scores that moved most; ordered by how far."""

    size: float
    id: str
    output: str
    first: float
    second: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two runs have in common, and what not.

    Attributes:
        outputs: Those that both have scored.
        n_both: Records that both hold; a repeated id counts once for each time that both hold it.
        n_only_first: Records that only the first holds.
        n_only_second: Records that only the second holds.
        only_first: Some of their ids.
        only_second: Likewise.
        n_lost_scores: Records with scores in the first run, and none in the second.
        n_gained_scores: The other way round.
        changes: By output, over the records that have scores in both.
        moved: The records that moved most, the furthest first.
        labels: What became of the most probable classes; None unless both runs name them.
        outputs_only_first: Outputs that the first alone has scored, which are not compared.
        outputs_only_second: Likewise.
    """

    outputs: tuple[str, ...]
    n_both: int
    n_only_first: int
    n_only_second: int
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    n_lost_scores: int
    n_gained_scores: int
    changes: dict[str, OutputChanges]
    moved: tuple[MovedRecord, ...]
    labels: LabelChanges | None
    outputs_only_first: tuple[str, ...] = ()
    outputs_only_second: tuple[str, ...] = ()

    @property
    def largest_change(self) -> float:
        """How far the record that moved most has moved; 0 where none has."""
        return max((one.sizes.largest or 0.0 for one in self.changes.values()), default=0.0)


def compare_runs(first: tuple[str, RunManifest], second: tuple[str, RunManifest], n_moved: int) -> Comparison:
    """Compares two committed runs record by record.

    Both are cut by a hash of the id into files in the system's folder for temporary files, some 40 bytes a record
    and 4 an output; memory does not grow with the runs.

    Args:
        first: Output directory and manifest.
        second: Likewise.
        n_moved: How many of the records that moved most are named.

    Raises:
        UsageError: They have no output, no record, or no record with scores in both in common.
    """
    outputs = tuple(name for name in first[1].outputs_scored if name in second[1].outputs_scored)
    if not outputs:
        scored = [f"{output} scored {', '.join(manifest.outputs_scored)}" for output, manifest in (first, second)]
        raise UsageError(f"{scored[0]}; {scored[1]}: they have no output in common.")
    for output, manifest in (first, second):
        if manifest.counts.dead == manifest.counts.records:
            raise UsageError(f"{output} has nothing to compare: {counts_line(manifest.counts, {})}.")
    n_partitions = count_partitions(first[1], second[1])
    with_labels = has_labels(*first) and has_labels(*second)
    counter = _Counter(outputs, n_moved)
    with tempfile.TemporaryDirectory(prefix="saiten-compare-") as folder:
        partitions = []
        for name, (output, manifest) in (("first", first), ("second", second)):
            (below := pathlib.Path(folder, name)).mkdir()
            partitions.append(partition_run(output, manifest, outputs, below, n_partitions, with_labels=with_labels))
        for path_first, path_second in zip(*partitions, strict=True):
            counter.add(read_partition(path_first), read_partition(path_second))
    if not counter.n_both:
        raise UsageError(
            f"{first[0]} and {second[0]} have no id in common: score both with --id_field, or the same input files."
        )
    if not (comparison := counter.comparison()).changes:
        raise UsageError(f"Of the {counted(counter.n_both, 'record')} in both runs none has scores in both.")
    of_first, of_second = (
        tuple(name for name in manifest.outputs_scored if name not in outputs) for _, manifest in (first, second)
    )
    return replace(comparison, outputs_only_first=of_first, outputs_only_second=of_second)


class _Counter:
    """Adds up partitions; each is a sample of the records, as it was cut by a hash."""

    def __init__(self, outputs: tuple[str, ...], n_moved: int) -> None:
        self._outputs = outputs
        self._n_moved = n_moved
        self._most_ranks = min(_MOST_RANKS, int((_RANK_CELLS / len(outputs)) ** 0.5))
        self.n_both = self._n_lost = self._n_gained = 0
        self._n_only = [0, 0]
        self._only: tuple[list[str], list[str]] = ([], [])
        self._changes: dict[str, OutputChanges] = {}
        self._moved: list[MovedRecord] = []
        self._labels: LabelChanges | None = None

    def add(self, first: Partition, second: Partition) -> None:
        matches = _same_ids(match_rows(first.hashes, second.hashes), first.ids, second.ids)
        self.n_both += len(matches.first)
        for side, partition, rows in ((0, first, matches.only_first), (1, second, matches.only_second)):
            self._n_only[side] += len(rows)
            self._only[side].extend(
                partition.ids.take(pa.array(rows[: _NAMED_IDS - len(self._only[side])])).to_pylist()
            )
        if first.labels is not None and second.labels is not None:
            self._labels = self._labels or LabelChanges()
            self._labels.add(first.labels.take(pa.array(matches.first)), second.labels.take(pa.array(matches.second)))
        scores_first, scores_second = first.scores[matches.first], second.scores[matches.second]
        has_first, has_second = (~np.isnan(scores).any(axis=1) for scores in (scores_first, scores_second))
        self._n_lost += int(np.count_nonzero(has_first & ~has_second))
        self._n_gained += int(np.count_nonzero(has_second & ~has_first))
        both = has_first & has_second
        self._add_scores(first.ids, matches.first[both], scores_first[both], scores_second[both])

    def _add_scores(self, ids: pa.Array, rows: Int64Array, first: FloatArray, second: FloatArray) -> None:
        if not len(rows):
            return
        for i, output in enumerate(self._outputs):
            if output not in self._changes:
                self._changes[output] = OutputChanges(first[:, i], second[:, i], self._most_ranks)
            self._changes[output].add(first[:, i], second[:, i])
        sizes = np.abs(second.astype(np.float64) - first)
        furthest = np.argsort(-sizes.max(axis=1), kind="stable")[: self._n_moved]
        moved = []
        for row, record_id in zip(furthest.tolist(), ids.take(pa.array(rows[furthest])).to_pylist(), strict=True):
            i = int(sizes[row].argmax())
            scores = float(first[row, i]), float(second[row, i])
            moved.append(MovedRecord(float(sizes[row, i]), record_id, self._outputs[i], *scores))
        self._moved = heapq.nlargest(self._n_moved, [*self._moved, *(one for one in moved if one.size > 0)])

    def comparison(self) -> Comparison:
        return Comparison(
            outputs=self._outputs,
            n_both=self.n_both,
            n_only_first=self._n_only[0],
            n_only_second=self._n_only[1],
            only_first=tuple(self._only[0]),
            only_second=tuple(self._only[1]),
            n_lost_scores=self._n_lost,
            n_gained_scores=self._n_gained,
            changes=self._changes,
            moved=tuple(self._moved),
            labels=self._labels,
        )


def _same_ids(matches: Matches, first: pa.Array, second: pa.Array) -> Matches:
    """Parts rows whose hashes are equal by chance: one in some thousand comparisons of 100 million records."""
    same = pc.equal(first.take(pa.array(matches.first)), second.take(pa.array(matches.second)))
    is_same = np.asarray(same, np.bool_)
    if is_same.all():
        return matches
    return Matches(
        matches.first[is_same],
        matches.second[is_same],
        np.concatenate([matches.only_first, matches.first[~is_same]]),
        np.concatenate([matches.only_second, matches.second[~is_same]]),
    )
