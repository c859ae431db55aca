"""What a stream counts in Beam's metrics is what its windows' manifests say."""

from collections import Counter
from collections.abc import Mapping

import pytest
from apache_beam.testing.test_stream import TestStream as Events

from saiten.pipelines.streaming import window_step
from saiten.pipelines.streaming.stream import Stream
from tests.helpers.streams import T0, block, run, tick, windows


def test_counters_say_of_records_and_dead_letters_what_the_windows_say(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scored, empty, twice, of three codes, late, very late: what was scored and came late is a dead letter alone."""
    events = (
        Events()
        .advance_watermark_to(T0)
        .add_elements(tick(0))
        .add_elements(tick(120))
        .add_elements(block((1, 3), (2, 4)))
        .add_elements(block((2, 4), (3, 5)))
        .add_elements(block((4, 6), text=""))
        .add_elements(block((5, 7), data=b"{"))
        .add_elements(block((6, 8), (7, 9), data=b"[]"))
        .add_elements(block((8, -3 * 24 * 3600)))
        .advance_watermark_to(T0 + 70)
        .add_elements(block((9, 5), (10, 6)))
        .add_elements(block((11, 71)))
        .advance_watermark_to_infinity()
    )
    counted: Counter[str] = Counter()

    def count(n_scored: int, n_empty: int, n_dead: Mapping[str, int]) -> None:
        counted.update({"scored": n_scored, "empty": n_empty, **n_dead})

    monkeypatch.setattr(window_step, "count_outcome", count)
    run(stream, events)
    found = windows(stream).values()
    dead = sum((Counter(manifest.dead_letter_codes) for manifest in found), Counter())
    assert dead == {"BAD_JSON": 1, "NOT_AN_OBJECT": 2, "LATE": 3}
    counts = [manifest.counts for manifest in found]
    scored, empty = sum(each.scored for each in counts), sum(each.empty for each in counts)
    assert (scored, empty, sum(manifest.duplicates for manifest in found)) == (4, 1, 1)
    assert counted == {"scored": scored, "empty": empty, **dead}
