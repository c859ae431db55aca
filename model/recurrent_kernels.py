"""LSTM and GRU forwards, and backwards through time, over unpadded sequences (Numba).

A kernel computes the texts `first` to `last` of a batch, one after the other, so a text's numbers
depend neither on its company nor on the number of threads. All arrays are float32, C-contiguous:

    table      [words, 3u or 4u]  input projections of the batch's distinct words, bias included
    words      [total]            row of `table` for each token, texts end to end
    gates      [total, 4u]        activations; `*_backward` overwrites them with gradients
    before     [total, u]         hidden state before each token
    hidden     [n, u]             hidden state after each text's last token

Why not XLA: it wants one compilation for every width, and still takes five times as long.
"""

import numpy as np
from numba import njit

from model.sequences import FloatArray, IntArray, OffsetArray

_OPTIONS = {"fastmath": True, "cache": True, "error_model": "numpy", "nogil": True}

_ZERO, _ONE, _TWO, _HALF = np.float32(0), np.float32(1), np.float32(2), np.float32(0.5)
_LOWEST, _HIGHEST = np.float32(-87), np.float32(87)
_LOG2_E = np.float32(1.44269504088896341)
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
# Cephes' expf: the polynomial of exp(x) on [-ln 2 / 2, ln 2 / 2]; error below 1e-7.
_P0, _P1, _P2 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
_P3, _P4, _P5 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)

# Gradients fade going back in time. Below this they are lost in float32's sums, and once
# they are denormal, multiplying them is ten times slower.
_FADED = np.float32(1e-20)


@njit(**_OPTIONS)
def _sigmoid(values: FloatArray, bits: IntArray, powers: FloatArray) -> None:
    """Replaces values by their sigmoid; `powers` is `bits` seen as float32. A loop that vectorises."""
    for j in range(values.shape[0]):
        x = min(max(-values[j], _LOWEST), _HIGHEST)
        k = np.floor(x * _LOG2_E + _HALF)
        x = x - k * _LN2_HIGH
        x = x - k * _LN2_LOW
        y = ((((_P0 * x + _P1) * x + _P2) * x + _P3) * x + _P4) * x + _P5
        values[j] = y * x * x + x + _ONE
        bits[j] = (np.int32(k) + np.int32(127)) << np.int32(23)
    for j in range(values.shape[0]):
        values[j] = _ONE / (_ONE + values[j] * powers[j])


@njit(**_OPTIONS)
def _tanh(values: FloatArray, bits: IntArray, powers: FloatArray) -> None:
    for j in range(values.shape[0]):
        values[j] = _TWO * values[j]
    _sigmoid(values, bits, powers)
    for j in range(values.shape[0]):
        values[j] = _TWO * values[j] - _ONE


@njit(**_OPTIONS)
def _add_product(out: FloatArray, vector: FloatArray, matrix: FloatArray) -> None:
    """Adds ``vector @ matrix`` to `out`, eight rows at a time."""
    n, width = matrix.shape
    whole = n - n % 8
    for k in range(0, whole, 8):
        v0, v1, v2, v3 = vector[k], vector[k + 1], vector[k + 2], vector[k + 3]
        v4, v5, v6, v7 = vector[k + 4], vector[k + 5], vector[k + 6], vector[k + 7]
        for j in range(width):
            out[j] += (v0 * matrix[k, j] + v1 * matrix[k + 1, j] + v2 * matrix[k + 2, j] + v3 * matrix[k + 3, j]) + (
                v4 * matrix[k + 4, j] + v5 * matrix[k + 5, j] + v6 * matrix[k + 6, j] + v7 * matrix[k + 7, j]
            )
    for k in range(whole, n):
        for j in range(width):
            out[j] += vector[k] * matrix[k, j]


@njit(**_OPTIONS)
def _flush(gradients: FloatArray) -> bool:
    """Sets faded gradients to zero; False where nothing is left."""
    largest = _ZERO
    for j in range(gradients.shape[0]):
        if abs(gradients[j]) < _FADED:
            gradients[j] = _ZERO
        largest = max(largest, abs(gradients[j]))
    return bool(largest > _ZERO)


@njit(**_OPTIONS)
def lstm_forward(
    table: FloatArray,
    words: OffsetArray,
    offsets: OffsetArray,
    recurrent: FloatArray,
    gates: FloatArray,
    cells: FloatArray,
    before: FloatArray,
    hidden: FloatArray,
    first: int,
    last: int,
) -> None:
    """Runs an LSTM; `cells` float32 [total, u] takes the cell state after each token."""
    u = recurrent.shape[0]
    z, x = np.empty(4 * u, np.float32), np.empty(u, np.float32)
    h, c = np.empty(u, np.float32), np.empty(u, np.float32)
    bits = np.empty(4 * u, np.int32)
    powers = bits.view(np.float32)
    for text in range(first, last):
        h[:] = _ZERO
        c[:] = _ZERO
        for t in range(offsets[text], offsets[text + 1]):
            before[t] = h
            z[:] = table[words[t]]
            _add_product(z, h, recurrent)
            _sigmoid(z[: 2 * u], bits, powers)
            _tanh(z[2 * u : 3 * u], bits, powers)
            _sigmoid(z[3 * u :], bits, powers)
            for j in range(u):
                c[j] = z[u + j] * c[j] + z[j] * z[2 * u + j]
            x[:] = c
            _tanh(x, bits, powers)
            for j in range(u):
                h[j] = z[3 * u + j] * x[j]
            gates[t] = z
            cells[t] = c
        hidden[text] = h


@njit(**_OPTIONS)
def lstm_backward(
    recurrent_transposed: FloatArray,
    offsets: OffsetArray,
    gates: FloatArray,
    cells: FloatArray,
    d_hidden: FloatArray,
    first: int,
    last: int,
) -> None:
    """Overwrites `gates` with the loss's gradient by each token's ``x @ W + h @ U + b``, [total, 4u]."""
    u = recurrent_transposed.shape[1]
    dz, x = np.empty(4 * u, np.float32), np.empty(u, np.float32)
    dh, dc = np.empty(u, np.float32), np.empty(u, np.float32)
    bits = np.empty(u, np.int32)
    powers = bits.view(np.float32)
    for text in range(first, last):
        begin = offsets[text]
        dh[:] = d_hidden[text]
        dc[:] = _ZERO
        for t in range(offsets[text + 1] - 1, begin - 1, -1):
            x[:] = cells[t]
            _tanh(x, bits, powers)
            for j in range(u):
                i, f, g, o = gates[t, j], gates[t, u + j], gates[t, 2 * u + j], gates[t, 3 * u + j]
                c_before = cells[t - 1, j] if t > begin else _ZERO
                d = dc[j] + dh[j] * o * (_ONE - x[j] * x[j])
                dz[j] = d * g * i * (_ONE - i)
                dz[u + j] = d * c_before * f * (_ONE - f)
                dz[2 * u + j] = d * i * (_ONE - g * g)
                dz[3 * u + j] = dh[j] * x[j] * o * (_ONE - o)
                dc[j] = d * f
            is_left = _flush(dz)
            is_left = _flush(dc) or is_left
            gates[t] = dz
            if not is_left:
                gates[begin:t] = _ZERO
                break
            dh[:] = _ZERO
            _add_product(dh, dz, recurrent_transposed)


@njit(**_OPTIONS)
def gru_forward(
    table: FloatArray,
    words: OffsetArray,
    offsets: OffsetArray,
    recurrent: FloatArray,
    recurrent_bias: FloatArray,
    gates: FloatArray,
    before: FloatArray,
    hidden: FloatArray,
    first: int,
    last: int,
) -> None:
    """Runs a GRU of Keras' kind (`reset_after`); gates are update, reset, candidate, and ``h @ U`` of the candidate."""
    u = recurrent.shape[0]
    z, s, h = np.empty(3 * u, np.float32), np.empty(3 * u, np.float32), np.empty(u, np.float32)
    bits = np.empty(3 * u, np.int32)
    powers = bits.view(np.float32)
    for text in range(first, last):
        h[:] = _ZERO
        for t in range(offsets[text], offsets[text + 1]):
            before[t] = h
            z[:] = table[words[t]]
            s[:] = recurrent_bias
            _add_product(s, h, recurrent)
            for j in range(2 * u):
                z[j] += s[j]
            _sigmoid(z[: 2 * u], bits, powers)
            for j in range(u):
                z[2 * u + j] += z[u + j] * s[2 * u + j]
            _tanh(z[2 * u :], bits, powers)
            for j in range(u):
                h[j] = z[j] * h[j] + (_ONE - z[j]) * z[2 * u + j]
            gates[t, : 3 * u] = z
            gates[t, 3 * u :] = s[2 * u :]
        hidden[text] = h


@njit(**_OPTIONS)
def gru_backward(
    recurrent_transposed: FloatArray,
    offsets: OffsetArray,
    gates: FloatArray,
    before: FloatArray,
    d_hidden: FloatArray,
    first: int,
    last: int,
) -> None:
    """Overwrites `gates` with gradients: 3u columns by ``x @ W + b``, then u by the candidate's ``h @ U``.

    By ``h @ U`` of update and reset gate the gradient is that of the first 2u columns.
    """
    u = recurrent_transposed.shape[1]
    ds, dx = np.empty(3 * u, np.float32), np.empty(u, np.float32)
    dh = np.empty(u, np.float32)
    for text in range(first, last):
        begin = offsets[text]
        dh[:] = d_hidden[text]
        for t in range(offsets[text + 1] - 1, begin - 1, -1):
            for j in range(u):
                z, r, g, s = gates[t, j], gates[t, u + j], gates[t, 2 * u + j], gates[t, 3 * u + j]
                d = dh[j] * (_ONE - z) * (_ONE - g * g)
                ds[j] = dh[j] * (before[t, j] - g) * z * (_ONE - z)
                ds[u + j] = d * s * r * (_ONE - r)
                ds[2 * u + j] = d * r
                dx[j] = d
                dh[j] = dh[j] * z
            is_left = _flush(ds)
            is_left = _flush(dx) or is_left
            is_left = _flush(dh) or is_left
            gates[t, : 2 * u] = ds[: 2 * u]
            gates[t, 2 * u : 3 * u] = dx
            gates[t, 3 * u :] = ds[2 * u :]
            if not is_left:
                gates[begin:t] = _ZERO
                break
            _add_product(dh, ds, recurrent_transposed)


@njit(**_OPTIONS)
def add_rows(rows: FloatArray, words: OffsetArray, sums: FloatArray) -> None:
    """Adds each token's row to its word's: ``sums[words[t]] += rows[t]``, always in the same order."""
    for t in range(words.shape[0]):
        target = sums[words[t]]
        for j in range(sums.shape[1]):
            target[j] += rows[t, j]
