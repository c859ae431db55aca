"""A window's records to its files; safe to run again, and whatever comes later than that is a dead letter."""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace

import numpy as np
import pyarrow as pa

from saiten.pipelines import storage
from saiten.pipelines.records import MAX_RAW_BYTES, Code, DeadLetter, ScoredBlock
from saiten.pipelines.run.layout import DEAD_LETTERS_FOLDER, SCORES_FOLDER, Run
from saiten.pipelines.run.owner import deciding, refuse_fenced_off
from saiten.pipelines.run.parquet_part import PartWriter, opened_part
from saiten.pipelines.run.range_summary import SourceCount
from saiten.pipelines.run.schema import dead_letters_table, scores_table
from saiten.pipelines.run.windows.window_manifest import (
    WindowManifest,
    WindowPart,
    manifests_of,
    start_name,
    write_window_manifest,
)
from saiten.pipelines.streaming.lateness import LATE_STAGE
from saiten.pipelines.streaming.stream import WindowBlock

Place = tuple[str, int]


def write_window(
    run: Run,
    start: float,
    end: float,
    blocks: Iterable[WindowBlock],
    clock: Callable[[], float] = time.time,
    held: Callable[[], Set[str]] = frozenset,
) -> WindowManifest | None:
    """Writes what an engine gives of a window, and then its manifest.

    An engine may give the same again, or more of it, when the window is written already. What is in it counts no
    second time; what is new came late. Two attempts may do so at the same instant: one of them writes the manifest,
    and the other begins again, behind it.

    Args:
        start, end: Seconds since the epoch.
        blocks: Are gone through again where the attempt begins again.
        clock: Seconds since the epoch; injected in tests.
        held: Gives the files that other windows hold, each of them whole: what an engine gives of those counts no
            second time.

    Returns:
        The manifest; None where nothing was left to write.

    Raises:
        FencedOffError: The job is no longer the output directory's owner's.
    """
    while True:
        manifest = _write_parts(run, start, end, blocks, clock, held())
        if manifest is None:
            return None
        with deciding(run.output):
            refuse_fenced_off(run)
            if held().isdisjoint(manifest.sources) and write_window_manifest(run.output, manifest):
                return manifest
        storage.remove_files([storage.join(run.output, part.part.path) for part in manifest.parts])


def _write_parts(
    run: Run,
    start: float,
    end: float,
    blocks: Iterable[WindowBlock],
    clock: Callable[[], float],
    held: Set[str],
) -> WindowManifest | None:
    """Writes the files of an attempt; returns the manifest that it would have."""
    earlier = manifests_of(run.output, start)
    files = WindowFiles(run, start_name(start), len(earlier), _places_in(run.output, earlier), held)
    try:
        for block in blocks:
            if block.scored:
                files.add(block, block.scored)
        if earlier and not files.sources:
            files.abandon()
            return None
        refuse_fenced_off(run)
        return WindowManifest(
            run_id=run.run_id,
            start=start,
            end=end,
            number=len(earlier),
            parts=files.close(),
            counts=sum(files.sources.values(), SourceCount()),
            duplicates=files.duplicates,
            dead_letter_codes=dict(files.codes),
            sources=files.sources,
            committed=clock(),
        )
    except BaseException:
        files.abandon()
        raise


class WindowFiles:
    """The files of one window, or of what came late for it.

    Args:
        run: Whose window it is.
        name: What it is called.
        number: 0 for the window itself.
        places: Source and position of all records that are written of it already.
        held: Sources that are written already, whole.

    Attributes:
        sources: How the records came out, by source.
        codes: How many dead letters there are of each code.
        duplicates: Records that are written already, or came twice.
    """

    def __init__(self, run: Run, name: str, number: int, places: set[Place], held: Set[str]) -> None:
        self._run = run
        self._window = name
        self._name = f"window-{name}-{number}-{uuid.uuid4().hex[:8]}"
        self._is_late = number > 0
        self._places = places
        self._held = held
        self._writers: dict[tuple[str, str], PartWriter] = {}
        self.sources: dict[str, SourceCount] = {}
        self.codes: Counter[str] = Counter()
        self.duplicates = 0

    def add(self, block: WindowBlock, scored: ScoredBlock) -> None:
        """Writes those of a block's records that are not written yet."""
        letters = [letter for letter in scored.dead_letters if self._is_new(letter.source, letter.position)]
        sources = scored.sources
        fresh = np.array([self._is_new(*place) for place in zip(sources, scored.positions, strict=True)], np.bool_)
        if self._is_late:
            letters += _late_letters(scored, sources, np.flatnonzero(fresh), block.raw_records, self._window)
            fresh[:] = False
        for span in scored.spans if not self._is_late else ():
            if span.source not in self._held:
                self._count(span.source, SourceCount())  # a file without records is in the window too
        self._write_scores(scored, fresh, block.bundle_id)
        self._write_dead_letters(letters, block.bundle_id)

    def close(self) -> tuple[WindowPart, ...]:
        """Makes the files visible; there is one of scores at least in a window."""
        if not self._is_late and not any(folder == SCORES_FOLDER for folder, _ in self._writers):
            self._writer(SCORES_FOLDER, self._run.bundle_id)
        closed = [WindowPart(writer.close(), bundle_id) for (_, bundle_id), writer in self._writers.items()]
        return tuple(sorted(closed, key=lambda part: part.part.path))

    def abandon(self) -> None:
        """Gives up what is not visible yet."""
        for writer in self._writers.values():
            writer.abandon()

    def _is_new(self, source: str, position: int) -> bool:
        if source in self._held or (source, position) in self._places:
            self.duplicates += 1
            return False
        self._places.add((source, position))
        return True

    def _write_scores(self, scored: ScoredBlock, fresh: np.ndarray, bundle_id: str) -> None:
        if not fresh.any():
            return
        writer = self._writer(SCORES_FOLDER, bundle_id)
        table = scores_table(scored, writer.schema, self._run.outputs, self._run.n_labels).filter(pa.array(fresh))
        writer.write(table)
        for source, status in zip(table["source"].to_pylist(), table["status"].to_pylist(), strict=True):
            self._count(source, SourceCount(1, int(status == "scored"), int(status == "empty")))

    def _write_dead_letters(self, letters: Sequence[DeadLetter], bundle_id: str) -> None:
        if not letters:
            return
        writer = self._writer(DEAD_LETTERS_FOLDER, bundle_id)
        writer.write(dead_letters_table(letters, writer.schema, keep_raw=self._run.keep_raw))
        for letter in letters:
            self.codes[letter.code] += 1
            self._count(letter.source, SourceCount(1, dead=1))

    def _count(self, source: str, count: SourceCount) -> None:
        self.sources[source] = self.sources.get(source, SourceCount()) + count

    def _writer(self, folder: str, bundle_id: str) -> PartWriter:
        key = (folder, bundle_id)
        if key not in self._writers:
            run = replace(self._run, bundle_id=bundle_id)
            schema = run.scores_schema if folder == SCORES_FOLDER else run.dead_letters_schema
            n_bundles = sum(1 for other, _ in self._writers if other == folder)
            self._writers[key] = PartWriter(run, f"{folder}/{self._name}-{n_bundles}.parquet", schema)
        return self._writers[key]


def _late_letters(
    scored: ScoredBlock, sources: Sequence[str], rows: np.ndarray, raws: Sequence[bytes], window: str
) -> list[DeadLetter]:
    message = f"It came when the window {window} was written already."
    return [
        DeadLetter(
            sources[i],
            scored.positions[i],
            scored.ids[i],
            LATE_STAGE,
            Code.LATE,
            message,
            raws[i][:MAX_RAW_BYTES] if raws else None,
            len(raws[i]) if raws else 0,
        )
        for i in rows.tolist()
    ]


def _places_in(output: str, manifests: Iterable[WindowManifest]) -> set[Place]:
    """Source and position of all records that are written of a window."""
    places: set[Place] = set()
    for manifest in manifests:
        for part in manifest.parts:
            with opened_part(storage.join(output, part.part.path)) as opened:
                table = opened.read(columns=["source", "position"], use_threads=False)
            places.update(zip(table["source"].to_pylist(), table["position"].to_pylist(), strict=True))
    return places
