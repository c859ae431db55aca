"""LSTM and GRU forwards, and backwards through time, over unpadded sequences (Numba).

A kernel computes the texts `first` to `last` of a batch, one after the other, so a text's numbers
depend neither on its company nor on the number of threads. All arrays are float32, C-contiguous:

    table      [words, 3u or 4u]  input projections of the batch's distinct words, bias included
    words      [total]            row of `table` for each token, texts end to end
    gates      [total, 4u]        activations; `*_backward` overwrites them with gradients
    before     [total, u]         hidden state before each token
    hidden     [n, u]             hidden state after each text's last token

Why not XLA: it wants a compilation of a second for every width, and then still takes twice as long.
"""

import numpy as np

from saiten.model.engines.kernel_math import HALF, ONE, accumulate, compiled, tanh
from saiten.model.text.ragged import FloatArray, Int64Array

# Gradients fade going back in time. Below this they are lost in float32's sums, and once
# they are denormal, multiplying them is ten times slower.
_FADED = np.float32(1e-20)
_ZERO = np.float32(0)


@compiled(fast=True)
def _sigmoid(x: np.float32) -> np.float32:
    return HALF + HALF * tanh(HALF * x)


@compiled(fast=True)
def _flush(gradients: FloatArray) -> bool:
    """Sets faded gradients to zero; False where nothing is left."""
    largest = _ZERO
    for j in range(gradients.shape[0]):
        if abs(gradients[j]) < _FADED:
            gradients[j] = _ZERO
        largest = max(largest, abs(gradients[j]))
    return bool(largest > _ZERO)


@compiled(fast=True)
def lstm_forward(
    table: FloatArray,
    words: Int64Array,
    offsets: Int64Array,
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
    z = np.empty(4 * u, np.float32)
    h, c = np.empty(u, np.float32), np.empty(u, np.float32)
    for text in range(first, last):
        h[:] = _ZERO
        c[:] = _ZERO
        for t in range(offsets[text], offsets[text + 1]):
            before[t] = h
            z[:] = table[words[t]]
            accumulate(z, h, recurrent)
            for j in range(2 * u):
                z[j] = _sigmoid(z[j])
            for j in range(2 * u, 3 * u):
                z[j] = tanh(z[j])
            for j in range(3 * u, 4 * u):
                z[j] = _sigmoid(z[j])
            for j in range(u):
                c[j] = z[u + j] * c[j] + z[j] * z[2 * u + j]
                h[j] = z[3 * u + j] * tanh(c[j])
            gates[t] = z
            cells[t] = c
        hidden[text] = h


@compiled(fast=True)
def lstm_backward(
    recurrent_transposed: FloatArray,
    offsets: Int64Array,
    gates: FloatArray,
    cells: FloatArray,
    d_hidden: FloatArray,
    first: int,
    last: int,
) -> None:
    """Overwrites `gates` with the loss's gradient by each token's ``x @ W + h @ U + b``, [total, 4u]."""
    u = recurrent_transposed.shape[1]
    dz = np.empty(4 * u, np.float32)
    dh, dc = np.empty(u, np.float32), np.empty(u, np.float32)
    for text in range(first, last):
        begin = offsets[text]
        dh[:] = d_hidden[text]
        dc[:] = _ZERO
        for t in range(offsets[text + 1] - 1, begin - 1, -1):
            for j in range(u):
                x = tanh(cells[t, j])
                i, f, g, o = gates[t, j], gates[t, u + j], gates[t, 2 * u + j], gates[t, 3 * u + j]
                c_before = cells[t - 1, j] if t > begin else _ZERO
                d = dc[j] + dh[j] * o * (ONE - x * x)
                dz[j] = d * g * i * (ONE - i)
                dz[u + j] = d * c_before * f * (ONE - f)
                dz[2 * u + j] = d * i * (ONE - g * g)
                dz[3 * u + j] = dh[j] * x * o * (ONE - o)
                dc[j] = d * f
            is_left = _flush(dz)
            is_left = _flush(dc) or is_left
            gates[t] = dz
            if not is_left:
                gates[begin:t] = _ZERO
                break
            dh[:] = _ZERO
            accumulate(dh, dz, recurrent_transposed)


@compiled(fast=True)
def gru_forward(
    table: FloatArray,
    words: Int64Array,
    offsets: Int64Array,
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
    for text in range(first, last):
        h[:] = _ZERO
        for t in range(offsets[text], offsets[text + 1]):
            before[t] = h
            z[:] = table[words[t]]
            s[:] = recurrent_bias
            accumulate(s, h, recurrent)
            for j in range(2 * u):
                z[j] = _sigmoid(z[j] + s[j])
            for j in range(u):
                z[2 * u + j] = tanh(z[2 * u + j] + z[u + j] * s[2 * u + j])
                h[j] = z[j] * h[j] + (ONE - z[j]) * z[2 * u + j]
            gates[t, : 3 * u] = z
            gates[t, 3 * u :] = s[2 * u :]
        hidden[text] = h


@compiled(fast=True)
def gru_backward(
    recurrent_transposed: FloatArray,
    offsets: Int64Array,
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
                d = dh[j] * (ONE - z) * (ONE - g * g)
                ds[j] = dh[j] * (before[t, j] - g) * z * (ONE - z)
                ds[u + j] = d * s * r * (ONE - r)
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
            accumulate(dh, ds, recurrent_transposed)


@compiled(fast=True)
def add_rows(rows: FloatArray, words: Int64Array, sums: FloatArray) -> None:
    """Adds each token's row to its word's: ``sums[words[t]] += rows[t]``, always in the same order."""
    for t in range(words.shape[0]):
        target = sums[words[t]]
        for j in range(sums.shape[1]):
            target[j] += rows[t, j]
