"""Batches: each text once an epoch, in few widths, in another order every time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saiten.model.text.ragged import offsets_of
from saiten.model.training.corpus import EncodedCorpus
from saiten.model.training.networks.batches import LengthBatches, choose_widths


def corpus_of(lengths: list[int]) -> EncodedCorpus:
    """A corpus in which a text's target is its number, and so is each of its ids, from 1 on."""
    n = len(lengths)
    return EncodedCorpus(
        token_ids=np.repeat(np.arange(1, n + 1, dtype=np.int32), lengths),
        offsets=offsets_of(lengths),
        targets=np.arange(n, dtype=np.float32)[:, None],
        held_out=np.zeros(n, np.bool_),
        n_tokens=np.array(lengths, np.int32),
        n_oov=np.zeros(n, np.int32),
        rows=np.arange(n),
    )


def batches_of(lengths: list[int], batch_size: int, passes: int = 1, rows: list[int] | None = None) -> LengthBatches:
    chosen = np.arange(len(lengths)) if rows is None else np.array(rows)
    return LengthBatches(corpus_of(lengths), chosen, batch_size, first_tokens=None, passes=passes, seed=1)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=50), st.integers(1, 9))
def test_an_epoch_has_every_text_and_full_batches(lengths: list[int], batch_size: int) -> None:
    batches = batches_of(lengths, batch_size)
    epoch = list(batches)
    assert len(epoch) == len(batches)
    size = min(batch_size, len(lengths))
    seen = [int(target) for _, targets in epoch for target in targets[:, 0]]
    assert set(seen) == set(range(len(lengths)))
    assert len(seen) < len(lengths) + size
    for token_ids, targets in epoch:
        assert token_ids.shape == (size, max(lengths[int(target)] for target in targets[:, 0]))
        for row, target in zip(token_ids.tolist(), targets[:, 0].astype(int).tolist(), strict=True):
            assert row == [target + 1] * lengths[target] + [0] * (len(row) - lengths[target])


def test_the_order_is_another_each_time_and_the_same_for_the_same_seed() -> None:
    lengths = np.random.default_rng(0).integers(1, 30, 200).tolist()
    orders = [
        [[tuple(targets[:, 0]) for _, targets in batches] for _ in range(2)]
        for batches in (batches_of(lengths, 8), batches_of(lengths, 8))
    ]
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[0][1]


def test_only_the_rows_asked_for_are_in_it() -> None:
    epoch = list(batches_of([3] * 10, 2, rows=[1, 4, 6, 8]))
    assert sorted(int(target) for _, targets in epoch for target in targets[:, 0]) == [1, 4, 6, 8]


def test_texts_of_like_length_are_together() -> None:
    lengths = np.random.default_rng(0).integers(1, 1_000, 640).tolist()
    cells = sum(token_ids.size for token_ids, _ in batches_of(lengths, 20))
    assert cells < 1.1 * sum(lengths)


def test_compiling_is_for_much_text_and_then_has_few_widths() -> None:
    lengths = np.random.default_rng(0).integers(1, 200, 3_000).tolist()
    assert len(batches_of(lengths, 20, passes=1).widths) == 0
    batches = batches_of(lengths, 20, passes=30)
    widths = {token_ids.shape[1] for token_ids, _ in batches}
    assert 1 < len(widths) < 12
    assert widths <= set(batches.widths.tolist())
    samples = batches.samples()
    assert [token_ids.shape for token_ids, _ in samples] == [(20, width) for width in batches.widths]
    assert {targets.shape for _, targets in samples} == {(20, 1)}


LENGTHS = st.lists(st.integers(1, 3_000), min_size=1, max_size=60)


@given(LENGTHS, st.floats(1, 1e5), st.one_of(st.none(), st.integers(1, 500)))
def test_every_text_fits_a_width_and_no_width_is_without_texts(
    lengths: list[int], compilation: float, first_tokens: int | None
) -> None:
    widths = choose_widths(np.array(lengths), compilation, first_tokens)
    assert (np.diff(widths) > 0).all()
    assert widths[-1] >= max(lengths)
    assert len(set(np.searchsorted(widths, lengths).tolist())) == len(widths)


@pytest.mark.parametrize(("compilation", "expected"), [(0, 12), (1e9, 1)])
def test_what_compiling_costs_decides_how_many_widths_there_are(compilation: float, expected: int) -> None:
    widths = choose_widths(np.arange(1, 1_000), compilation)
    assert (len(widths) >= expected) if expected > 1 else len(widths) == 1
