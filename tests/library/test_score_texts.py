"""Texts scored within other people's pipelines."""

import pathlib
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.metrics import MetricsFilter
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from apache_beam.typehints import typehints

import saiten
from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.library.score_texts import score_strings
from saiten.pipelines.library.scorer import load_scorer

GOOD, EMPTY = "とても美味しい。", "\u3000"


def expected(bundle: StoredBundle, text: str) -> saiten.TextScore:
    loaded = saiten.load(bundle.path)
    explanation = loaded.explain(text)
    scores = dict(zip(loaded.outputs, loaded.score([text])[0].tolist(), strict=True))
    return saiten.TextScore(text, "scored", scores, explanation.n_tokens, explanation.n_oov, truncated=False)


def test_strings_give_a_score_each(tiny_bundle: StoredBundle) -> None:
    with beam.Pipeline("FnApiRunner") as pipeline:
        scores = pipeline | beam.Create([GOOD, EMPTY, GOOD]) | saiten.ScoreTexts(bundle=tiny_bundle.path)
        good, empty = expected(tiny_bundle, GOOD), saiten.TextScore(EMPTY, "empty", None, 0, 0, truncated=False)
        assert_that(scores, equal_to([good, empty, good]))


def dead(text: object, code: str, message: str) -> saiten.TextScore:
    return saiten.TextScore(text, "dead", None, 0, 0, False, code, message)


def test_keys_are_kept_and_what_cannot_be_scored_says_why(tiny_bundle: StoredBundle) -> None:
    records: list[tuple[Any, Any]] = [(7, GOOD), (("a", 1), None), ("b", 5), (None, EMPTY)]
    pipeline = beam.Pipeline("FnApiRunner")
    scores = pipeline | beam.Create(records) | saiten.ScoreTexts(bundle=str(tiny_bundle.path), engine="packed")
    missing, number = dead(None, "TEXT_MISSING", "the text is None"), dead(5, "TEXT_NOT_STRING", "the text is int")
    empty = saiten.TextScore(EMPTY, "empty", None, 0, 0, truncated=False)
    pairs = [(7, expected(tiny_bundle, GOOD)), (("a", 1), missing), ("b", number), (None, empty)]
    assert_that(scores, equal_to(pairs))
    counters = pipeline.run().metrics().query(MetricsFilter().with_namespace("saiten"))["counters"]
    assert {counter.key.metric.name: counter.committed for counter in counters} == {
        "texts-scored": 1, "texts-empty": 1, "texts-dead": 2,
    }  # fmt: skip


def test_a_text_that_mecab_refuses_costs_itself_alone(tiny_bundle: StoredBundle) -> None:
    """Between Beam's steps a string is UTF-8, so such a one only comes from the step before, unwritten."""
    scorer = load_scorer(str(tiny_bundle.path), "auto", trusted=False)
    good = expected(tiny_bundle, GOOD)
    bad = dead("\ud83d", "BAD_UNICODE", "the text holds a lone surrogate")
    assert score_strings(scorer, [GOOD, "\ud83d", GOOD]) == [good, bad, good]


def test_many_more_than_are_scored_together_come_out_once_each(tiny_bundle: StoredBundle) -> None:
    records = [(i, f"{GOOD}{i}" if i % 5 else "x" * 100_000 if i == 5 else "") for i in range(4500)]
    with beam.Pipeline("FnApiRunner") as pipeline:
        scores = pipeline | beam.Create(records, reshuffle=False) | saiten.ScoreTexts(bundle=tiny_bundle.path)
        assert_that(scores | beam.MapTuple(lambda key, scored: (key, scored.text)), equal_to(records))


def test_the_types_are_those_of_keys_and_scores(tiny_bundle: StoredBundle) -> None:
    pipeline = beam.Pipeline("FnApiRunner")
    scores = {
        name: pipeline | f"Create {name}" >> created | name >> saiten.ScoreTexts(bundle=tiny_bundle.path)
        for name, created in {"strings": beam.Create([GOOD]), "pairs": beam.Create([(1, GOOD)])}.items()
    }
    assert scores["strings"].element_type is saiten.TextScore
    assert scores["pairs"].element_type == typehints.Tuple[int, saiten.TextScore]


def test_windows_and_timestamps_are_those_of_the_elements(tiny_bundle: StoredBundle) -> None:
    def stamp(
        score: saiten.TextScore, time: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam
    ) -> Any:
        return score.text, int(time), int(window.start)

    with beam.Pipeline("FnApiRunner") as pipeline:
        stamped = (
            pipeline
            | beam.Create([("a", 1), ("b", 61), ("c", 62)])
            | beam.MapTuple(TimestampedValue)
            | beam.WindowInto(FixedWindows(60))
            | saiten.ScoreTexts(bundle=tiny_bundle.path)
            | beam.Map(stamp)
        )
        assert_that(stamped, equal_to([("a", 1, 0), ("b", 61, 60), ("c", 62, 60)]))


@pytest.mark.parametrize("element", [{"text": GOOD}, 5, b"text", ("a", GOOD, 1)])
def test_what_is_neither_a_string_nor_a_pair_ends_the_pipeline(tiny_bundle: StoredBundle, element: object) -> None:
    pipeline = beam.Pipeline("FnApiRunner")
    _ = pipeline | beam.Create([element]) | saiten.ScoreTexts(bundle=tiny_bundle.path)
    with pytest.raises(Exception, match=r"ScoreTexts takes strings or \(key, text\), not "):
        pipeline.run()


def test_a_configuration_that_cannot_work_fails_where_it_is_written(tmp_path: pathlib.Path) -> None:
    with pytest.raises(saiten.UsageError, match="The engine is auto, packed or keras, not 'fast'"):
        saiten.ScoreTexts(bundle=tmp_path, engine="fast")
    saiten.ScoreTexts(bundle=tmp_path)  # nothing is read when a pipeline is built
