"""The compiled arithmetic against NumPy in double precision, without Keras."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saiten.model.engines.packed.kernels import project, run_dense, run_gru, run_lstm

Doubles = npt.NDArray[np.float64]


def sigmoid(x: Doubles) -> Doubles:
    return 1 / (1 + np.exp(-x))


def lstm_states(table: Doubles, rows: npt.NDArray[np.int32], recurrent: Doubles) -> Doubles:
    units = len(recurrent)
    hidden, cell, states = np.zeros(units), np.zeros(units), []
    for row in rows:
        i, f, c, o = np.split(table[row] + hidden @ recurrent, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(cell)
        states.append(hidden)
    return np.array(states).reshape(-1, units)


def gru_states(
    table: Doubles, rows: npt.NDArray[np.int32], gates: Doubles, candidate: Doubles, bias: Doubles, reset_after: bool
) -> Doubles:
    units = len(candidate)
    hidden, states = np.zeros(units), []
    for row in rows:
        z, r = np.split(sigmoid(table[row][: 2 * units] + hidden @ gates), 2)
        product = r * (hidden @ candidate + bias) if reset_after else (r * hidden) @ candidate
        hidden = z * hidden + (1 - z) * np.tanh(table[row][2 * units :] + product)
        states.append(hidden)
    return np.array(states).reshape(-1, units)


def drawn(*shape: int, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, shape).astype(np.float32)


def doubles(*arrays: npt.NDArray[np.float32]) -> list[Doubles]:
    return [array.astype(np.float64) for array in arrays]


LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(lengths=LENGTHS, units=st.sampled_from([8, 16, 40]), backward=st.booleans(), keep_all=st.booleans())
def test_lstm_is_the_textbooks(lengths: list[int], units: int, backward: bool, keep_all: bool) -> None:
    table, recurrent = drawn(30, 4 * units), drawn(units, 4 * units, seed=1)
    check_states(
        lengths, units, backward, keep_all,
        run=lambda rows, offsets, states: run_lstm(table, rows, offsets, recurrent, backward, keep_all, states),
        oracle=lambda rows: lstm_states(*doubles(table), rows, *doubles(recurrent)),
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(lengths=LENGTHS, units=st.sampled_from([8, 16]), backward=st.booleans(), reset_after=st.booleans())
def test_gru_is_the_textbooks(lengths: list[int], units: int, backward: bool, reset_after: bool) -> None:
    table, gates, candidate = drawn(30, 3 * units), drawn(units, 2 * units, seed=1), drawn(units, units, seed=2)
    bias = drawn(units, seed=3)

    def run(rows: Any, offsets: Any, states: Any) -> None:
        run_gru(table, rows, offsets, gates, candidate, bias, reset_after, backward, True, states)

    check_states(
        lengths, units, backward, True,
        run=run,
        oracle=lambda rows: gru_states(*doubles(table), rows, *doubles(gates, candidate, bias), reset_after),
    )  # fmt: skip


def check_states(lengths: list[int], units: int, backward: bool, keep_all: bool, *, run: Any, oracle: Any) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows = np.random.default_rng(4).integers(0, 30, offsets[-1]).astype(np.int32)
    states = np.zeros((len(rows) if keep_all else len(lengths), units), np.float32)
    run(rows, offsets, states)
    for text, (start, end) in enumerate(itertools.pairwise(offsets)):
        step = -1 if backward else 1
        expected = oracle(rows[start:end][::step])
        if keep_all:
            np.testing.assert_allclose(states[start:end][::step], expected, atol=2e-6)
        else:
            np.testing.assert_allclose(states[text], expected[-1] if len(expected) else 0 * states[text], atol=2e-6)


def test_products_are_the_sum_of_products() -> None:
    inputs, weights, bias = drawn(5, 16), drawn(16, 12, seed=1), drawn(12, seed=2)
    expected = np.float64(inputs) @ np.float64(weights) + bias
    np.testing.assert_allclose(project(inputs, weights, bias), expected, atol=1e-6)
    np.testing.assert_allclose(run_dense(*doubles(inputs, weights, bias)), expected, atol=1e-15)


@pytest.mark.parametrize("value", [-100.0, -9.0, -8.0, -7.9, -1.0, -1e-4, 0.0, 1e-30, 0.3, 7.99, 8.0, 20.0, np.inf])
def test_a_gate_saturates_as_tanh_does(value: float) -> None:
    # Output and input gates wide open, so the state is tanh(tanh(value)).
    table = np.zeros((1, 32), np.float32)
    table[0, :8], table[0, 16:24], table[0, 24:] = 20, value, 20
    states = np.zeros((1, 8), np.float32)
    run_lstm(table, np.zeros(1, np.int32), np.array([0, 1]), np.zeros((8, 32), np.float32), False, False, states)
    np.testing.assert_allclose(states[0], np.tanh(np.tanh(value)), atol=4e-7)


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_a_hole_in_the_weights_is_never_a_plausible_number(hole: float) -> None:
    """fastmath may assume that there is no NaN; the record must become NOT_FINITE instead."""
    table, recurrent = drawn(30, 64), drawn(16, 64, seed=1)
    recurrent[3, 5] = hole
    states = np.zeros((1, 16), np.float32)
    run_lstm(table, np.array([1, 2, 3], np.int32), np.array([0, 3]), recurrent, False, False, states)
    assert np.isnan(states).all()
