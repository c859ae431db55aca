"""An effect is the score with a token less the score without it, however many are tried at once."""

import numpy as np
import pytest

from saiten.model.engines import occlusion
from saiten.model.engines.occlusion import group_size, measure_effects
from tests.helpers.fakes import FakeEngine

IDS = np.array([7, 3, 7, 20], np.int32)


@pytest.mark.parametrize("at_once", [1, 5, 8, 1_000])
def test_each_id_is_left_out_in_turn(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occlusion, "_IDS_AT_ONCE", at_once)
    engine = FakeEngine()
    effects = measure_effects(engine, IDS)
    assert effects is not None
    assert effects.tolist() == [[7, 1], [3, 1], [7, 1], [20, 1]]
    assert sum(engine.batches) == 5


def test_in_a_long_text_neighbours_are_left_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occlusion, "_MOST_VARIANTS", 3)
    effects = measure_effects(FakeEngine(), np.array([1, 2, 3, 4, 5], np.int32))
    assert group_size(5) == 2
    assert effects is not None
    assert effects.tolist() == [[3, 2], [3, 2], [7, 2], [7, 2], [5, 1]]


@pytest.mark.parametrize("n_ids", [0, 1])
def test_nothing_is_told_where_nothing_would_be_left(n_ids: int) -> None:
    engine = FakeEngine()
    assert measure_effects(engine, IDS[:n_ids]) is None
    assert engine.batches == []
