"""Adds up what was counted of many ranges, wherever they were written."""

from collections.abc import Iterable

import apache_beam as beam

from saiten.pipelines.statistics.run_statistics import RunStatistics, StatisticsCounter, StatisticsPlan


def merge_statistics(plan: StatisticsPlan, statistics: Iterable[RunStatistics]) -> RunStatistics:
    """Returns the sum of what was counted by one plan."""
    counter = StatisticsCounter(plan)
    for one in statistics:
        counter.merge(one)
    return counter.counted


class MergeStatistics(beam.CombineFn):
    """Adds up `RunStatistics`: a few at a time, so that no machine has to hold those of all ranges."""

    def __init__(self, plan: StatisticsPlan) -> None:
        self._plan = plan

    def create_accumulator(self) -> RunStatistics:
        return StatisticsCounter(self._plan).counted

    def add_input(self, accumulator: RunStatistics, element: RunStatistics) -> RunStatistics:
        return merge_statistics(self._plan, [accumulator, element])

    def merge_accumulators(self, accumulators: Iterable[RunStatistics]) -> RunStatistics:
        return merge_statistics(self._plan, accumulators)

    def extract_output(self, accumulator: RunStatistics) -> RunStatistics:
        return accumulator
