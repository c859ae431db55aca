"""Sequences end to end, against lists of lists."""

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from saiten.model.text.ragged import gather, offsets_of, token_runs

LENGTHS = st.lists(st.integers(0, 9), max_size=20)


@given(LENGTHS, st.randoms(use_true_random=False))
def test_pieces_are_gathered_as_from_lists(lengths: list[int], random: "np.random.Generator") -> None:
    offsets = offsets_of(lengths)
    values = np.arange(sum(lengths), dtype=np.int32)
    assert (offsets.dtype, len(offsets), offsets[-1]) == (np.int64, len(lengths) + 1, sum(lengths))
    rows = random.sample(range(len(lengths)), len(lengths) // 2)
    gathered, gathered_offsets = gather(values, offsets[rows], np.diff(offsets)[rows])
    assert gathered.dtype == np.int32
    assert gathered_offsets.tolist() == offsets_of([lengths[row] for row in rows]).tolist()
    assert gathered.tolist() == [value for row in rows for value in values[offsets[row] : offsets[row + 1]].tolist()]


@given(LENGTHS, st.integers(1, 20))
def test_runs_cover_everything_once_and_are_as_long_as_they_may_be(lengths: list[int], limit: int) -> None:
    runs = list(token_runs(offsets_of(lengths), limit))
    assert [row for first, last in runs for row in range(first, last)] == list(range(len(lengths)))
    for first, last in runs:
        assert sum(lengths[first:last]) <= limit or last == first + 1
        assert last == len(lengths) or sum(lengths[first : last + 1]) > limit


def test_the_kernels_need_neither_arrow_nor_mecab() -> None:
    """They are compiled, and tried out, without what only the texts' way to ids needs."""
    code = "import sys, saiten.model.engines.packed.kernels\nprint({'pyarrow', 'MeCab'} & sys.modules.keys())"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "set()\n"
