"""`saiten score`, but every Beam bundle is retried after it had finished, and the commit is made twice."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam

from saiten.pipelines.records import ScoredBlock
from saiten.pipelines.run.range_summary import RangeSummary
from saiten.pipelines.run.run_manifest import RunManifest
from saiten.pipelines.statistics.run_statistics import RunStatistics
from saiten.pipelines.steps import commit, write

_process = write._WritePartsDoFn.process  # noqa: SLF001 - a fault is put in where nothing is meant to be
_commit = commit.commit_run


def process_twice(self: Any, block: ScoredBlock) -> Iterator[RangeSummary | beam.pvalue.TaggedOutput]:
    """Writes a range, then writes it again; of the first attempt a runner forgets what was counted."""
    self.seen = [*getattr(self, "seen", []), block]
    yield from (given for given in _process(self, block) if isinstance(given, RangeSummary))
    if block.is_last:
        again, self.seen = self.seen, []
        for written in again:
            yield from _process(self, written)


def commit_twice(
    settings: commit.CommitSettings, summaries: Iterable[RangeSummary], statistics: Iterable[RunStatistics]
) -> RunManifest:
    """Commits, then commits again."""
    reported, counted = list(summaries), list(statistics)
    _commit(settings, reported, counted)
    return _commit(settings, reported, counted)


if __name__ == "__main__":
    from saiten.pipelines.commands.main import main

    write._WritePartsDoFn.process = process_twice  # type: ignore[method-assign] # noqa: SLF001
    commit.commit_run = commit_twice
    sys.exit(main())
