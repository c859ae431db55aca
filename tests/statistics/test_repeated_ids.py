"""Repeated ids are counted exactly up to a bound, and well enough beyond, however the records are shared out."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saiten.pipelines.statistics.repeated_ids import IdCounter, IdSample, hash_ids


def counted(*shares: Sequence[str], max_kept: int = 1 << 10) -> IdSample:
    whole = IdCounter(max_kept)
    for ids in shares:
        share = IdCounter(max_kept)
        for start in range(0, len(ids), 100):
            share.add(ids[start : start + 100])
        whole.merge(share.sample)
    return whole.sample


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=20), max_size=4))
def test_few_ids_are_counted_exactly(shares: list[list[str]]) -> None:
    ids = [record_id for share in shares for record_id in share]
    sample = counted(*shares)
    assert sample.is_exact
    assert sample.n_repeated == len(ids) - len(set(ids))


def test_beyond_the_bound_the_number_is_estimated() -> None:
    ids = [f"id-{i}" for i in range(40_000)]
    sample = counted(ids[:25_000], ids[25_000:], ids[:10_000], max_kept=1 << 12)
    assert not sample.is_exact
    assert sample.n_repeated == pytest.approx(10_000, rel=0.1)
    assert len(sample.counts) <= (1 << 12) * 4 * 4 / 3 + 4  # as Base64


def test_the_order_of_shares_changes_nothing() -> None:
    a, b = [f"a{i % 700}" for i in range(3_000)], [f"a{i}" for i in range(2_000)]
    assert counted(a, b, max_kept=256) == counted(b, a, max_kept=256)


def test_one_id_of_all_records_is_exact_at_any_number() -> None:
    sample = counted(["same"] * 5_000, max_kept=4)
    assert (sample.is_exact, sample.n_repeated) == (True, 4_999)


def test_a_hash_is_the_same_in_every_process() -> None:
    # XXH3's own for no bytes, and two more.
    hashes = [hex(number) for number in hash_ids(["", "a", "採点"]).tolist()]
    assert hashes == [
        "0x2d06800538d394c2",
        "0xe6c632b61e964e1f",
        "0x1f82e6d4d9c1b240",
    ]
