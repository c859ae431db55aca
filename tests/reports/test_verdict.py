"""The verdict says in words what the figures say, the gravest first."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from saiten.pipelines.commands.score import warning_line
from saiten.pipelines.reports.verdict import Level, judge_run, outcome_sentence
from saiten.pipelines.run.run_manifest import RunCounts, RunManifest
from tests.helpers.reports import make_manifest, make_reference, make_statistics

RANDOM = np.random.default_rng(3)
FINE = [
    "4 % of the tokens are words that the model does not know (usual in texts like those of training: 4 %).",
    "The scores are spread as on the training data.",
]


def test_a_run_like_the_training_data_is_fine() -> None:
    verdict = judge_run(make_manifest())
    assert (verdict.level, verdict.sentence) == (Level.GOOD, "Nothing speaks against these scores.")
    assert [finding.sentence for finding in verdict.findings] == FINE


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"records": 0}, "The input holds no records."),
        ({"records": 7, "scored": 7}, "All 7 records were scored."),
        ({"records": 1, "scored": 1}, "The only record was scored."),
        ({"records": 1, "dead": 1}, "The only record could not be scored."),
        ({"records": 1, "empty": 1}, "The only record is empty."),
        ({"records": 2, "empty": 2}, "0 of 2 records were scored; 2 are empty."),
        ({"records": 2, "scored": 1, "dead": 1}, "1 of 2 records was scored; 1 could not be scored."),
        ({"records": 3, "scored": 2, "empty": 1}, "2 of 3 records were scored; 1 is empty."),
        (
            {"records": 1_509, "scored": 1_500, "empty": 2, "dead": 7},
            "1,500 of 1,509 records were scored; 2 are empty; 7 could not be scored.",
        ),
    ],
)
def test_what_became_of_the_records(counts: dict[str, int], sentence: str) -> None:
    assert outcome_sentence(make_manifest(counts=RunCounts(**counts))) == sentence


@pytest.mark.parametrize(
    ("changes", "level", "sentence"),
    [
        (
            {"counts": RunCounts(1_000, 990, 0, 10), "dead_letter_codes": {"BAD_JSON": 10}},
            Level.LOOK,
            "1 % of the records could not be scored: BAD_JSON 10.",
        ),
        (
            {"counts": RunCounts(1_000, 1_000, duplicate_ids=3)},
            Level.LOOK,
            "3 records have the id of another: a join by id doubles them.",
        ),
        (
            {"counts": RunCounts(1_000, 1_000, duplicate_ids=1)},
            Level.LOOK,
            "1 record has the id of another: a join by id doubles it.",
        ),
        (
            {"counts": RunCounts(1_000, 1_000, duplicate_ids=3_000_000), "duplicate_ids_exact": False},
            Level.LOOK,
            "About 3,000,000 records have the id of another: a join by id doubles them.",
        ),
        ({"counts": RunCounts(4, 0, 4)}, Level.BAD, "No record was scored."),
        (
            {"reference": None},
            Level.LOOK,
            "The bundle does not say what its training data was like: nothing to compare with.",
        ),
        (
            {"statistics": make_statistics(n=15)},
            Level.LOOK,
            "These are too few records to tell whether they are like the training data.",
        ),
        (
            {"statistics": make_statistics(oov_rate=0.3)},
            Level.BAD,
            "30 % of the tokens are words that the model does not know (usual in texts like those of training: 4 %).",
        ),
        (
            {"statistics": make_statistics(n_truncated=300)},
            Level.LOOK,
            "30 % of the texts were cut: they are longer than the model reads.",
        ),
        (
            {"statistics": make_statistics(length=500)},
            Level.LOOK,
            "The texts are of another length than those of training: 500 tokens on average, there 20.",
        ),
    ],
)
def test_what_speaks_against_the_scores_comes_first(changes: dict[str, Any], level: Level, sentence: str) -> None:
    verdict = judge_run(make_manifest(**changes))
    assert (verdict.level, verdict.findings[0].sentence) == (level, sentence)


def test_scores_that_are_spread_otherwise_are_named_with_their_index() -> None:
    moved = judge_run(make_manifest(statistics=make_statistics(mean=3.9)))
    assert moved.findings[0].sentence.startswith(
        "The scores are spread otherwise than on the training data (taste, PSI "
    )
    assert moved.level == Level.LOOK


def test_scores_that_tell_nothing_apart_are_not_relied_on() -> None:
    """As those of a model that reads its padding."""
    verdict = judge_run(make_manifest(statistics=make_statistics(deviation=0.01)))
    assert verdict.sentence == "Don't rely on these scores yet."
    assert verdict.findings[0].sentence.startswith("All texts have nearly the same score (taste, PSI ")


def test_a_run_of_an_older_version_is_told_by_its_counts_alone() -> None:
    assert judge_run(make_manifest(statistics=None)).findings == ()


def test_the_command_ends_with_what_speaks_against_the_scores_before_its_summary() -> None:
    """Who reads but the last lines learns it; lesser findings are the report's."""

    def committed(**changes: Any) -> RunManifest:
        manifest = make_manifest(**changes)
        return replace(manifest, verdict=judge_run(manifest))

    bad = committed(statistics=make_statistics(oov_rate=0.3))
    assert re.fullmatch(
        r"Don't rely on these scores yet\. 30 % of the tokens are words that the model does not know "
        r"\(usual in texts like those of training: 4 %\)\. runs/a/report\.html has more\.",
        warning_line(bad, "runs/a"),
    )
    assert warning_line(committed(statistics=make_statistics(n=15)), "runs/a") == ""
    assert warning_line(committed(counts=RunCounts(4, 0, 4)), "runs/a") == ""


def test_scores_of_which_too_little_is_known_are_named_beside_those_that_differ() -> None:
    """That nothing can be told, and that the scores differ, must not be said in one breath of the same scores."""
    known = make_reference()
    few = {"taste": make_statistics(n=15, mean=9.0).scores["taste"], "price": make_statistics(n=15).scores["taste"]}
    reference = replace(known, scores=dict.fromkeys(few, known.scores["taste"]))
    statistics = replace(make_statistics(n=15), scores=few)
    found = [one.sentence for one in judge_run(make_manifest(statistics=statistics, reference=reference)).findings]
    assert sum(
        one.startswith("The scores are spread otherwise than on the training data (taste, PSI ") for one in found
    )
    assert "The records are too few to tell the same of all scores: price may have moved or not." in found
    assert not any("whether they are like" in one for one in found)
