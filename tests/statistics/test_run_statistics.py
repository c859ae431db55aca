"""What is counted of a run, block by block, is what stands in its blocks; and it adds up over ranges."""

import dataclasses

import numpy as np
import pytest

from saiten.pipelines.records import ScoredBlock
from saiten.pipelines.segmentation import Segmentation
from saiten.pipelines.stage_secs import StageSecs
from saiten.pipelines.statistics.run_statistics import (
    DeadLetterExample,
    RunStatistics,
    StatisticsCounter,
    StatisticsPlan,
)
from tests.helpers.fakes import make_scored_block

PLAN = StatisticsPlan({"sum": (0.0, 100.0), "length": (0.0, 10.0)}, counts_ids=True)


def block(texts: list[str], dead: tuple[int, ...] = ()) -> ScoredBlock:
    made = make_scored_block(texts, dead=dead)
    return dataclasses.replace(
        made,
        n_oov=np.minimum(made.n_tokens, 1),
        truncated=made.n_tokens > 2,
        oov_words={"鱧": 9, "rare": 1},
        stage_secs=StageSecs(1, 2, 3, 4),
        segmentation=Segmentation({"compiled": len(texts)}, n_witnessed=1),
    )


def counted(*blocks: ScoredBlock, plan: StatisticsPlan = PLAN) -> RunStatistics:
    counter = StatisticsCounter(plan)
    for one in blocks:
        counter.add(one)
    return counter.counted


def test_a_block_is_counted() -> None:
    found = counted(block(["ab", "", "abc", "!"], dead=(3,)))
    assert {name: (scores.n, scores.total) for name, scores in found.scores.items()} == {
        "sum": (2, float(sum(map(ord, "ababc")))),
        "length": (2, 5.0),
    }
    assert (found.n_tokens.total, found.n_oov, found.n_truncated) == (5.0, 2, 1)
    assert found.oov_rate.total == pytest.approx(1 / 2 + 1 / 3)
    assert found.dead_letters == {"BAD_JSON": [DeadLetterExample("a.txt", 8, "not JSON")]}
    assert found.stage_secs == StageSecs(1, 2, 3, 4)
    assert found.segmentation == Segmentation({"compiled": 4}, 1)
    assert found.ids is not None
    assert found.ids.n_repeated == 0


def test_ranges_add_up() -> None:
    first, second = block(["ab", "c"]), block(["ab", "xyz"], dead=(0,))
    merged = StatisticsCounter(PLAN)
    for one in (first, second):
        merged.merge(counted(one))
    together = dataclasses.replace(counted(first, second), oov_words={})
    assert dataclasses.replace(merged.counted, oov_words={}) == together
    assert together.segmentation == Segmentation({"compiled": 4}, 2)


def test_a_rare_word_is_named_only_where_texts_may_be_shown() -> None:
    blocks = [block(["ab"]), block(["cd"])]
    assert counted(*blocks).oov_words == {"鱧": 18}
    assert counted(*blocks, plan=dataclasses.replace(PLAN, shows_texts=True)).oov_words == {"鱧": 18, "rare": 2}


def test_a_dead_letter_shows_how_it_begins_only_where_texts_may_be_shown() -> None:
    plan = dataclasses.replace(PLAN, shows_texts=True)
    found = counted(block(["ok", "悪" * 300], dead=(1,)), plan=plan)
    assert found.dead_letters == {"BAD_JSON": [DeadLetterExample("a.txt", 3, "not JSON", "悪" * 200)]}


def test_of_each_code_the_first_few_are_kept() -> None:
    found = counted(block([str(i) for i in range(9)], dead=tuple(range(9))))
    assert [example.position for example in found.dead_letters["BAD_JSON"]] == [0, 2, 4, 6, 8]
