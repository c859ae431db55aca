"""The gradients of one direction of a Keras recurrent layer, over unpadded sequences.

The embedding is not trained, so each distinct word of a batch is projected once, however often
it occurs (`table = embeddings @ kernel + bias`), and its gradient is summed before it is
multiplied back. Proven against Keras' own gradients in `tests/test_recurrence.py`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from saiten.model.cores import available_cores
from saiten.model.text.ragged import FloatArray, Int64Array
from saiten.model.training import recurrent_kernels as kernels

# Pieces of a batch for each thread: texts differ in length, so one piece each would not do.
_PIECES_PER_THREAD = 4


@dataclass(frozen=True)
class WordBatch:
    """Texts as rows of a matrix of word vectors.

    Attributes:
        embeddings: float32 [words, D], the vectors of the batch's distinct words.
        words: int64 [total], row of `embeddings` of each token, texts end to end.
        offsets: int64 [n + 1], where each text begins; no text is empty.
    """

    embeddings: FloatArray
    words: Int64Array
    offsets: Int64Array

    def backwards(self) -> "WordBatch":
        """Returns the batch with every text's tokens in reverse order."""
        lengths = np.diff(self.offsets)
        mirrored = np.repeat(self.offsets[:-1] + self.offsets[1:] - 1, lengths) - np.arange(len(self.words))
        return WordBatch(self.embeddings, self.words[mirrored], self.offsets)


class Workers:
    """Threads for the kernels, which let go of the GIL; each text's result is the same on any number of them."""

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or available_cores()
        self._pool = ThreadPoolExecutor(self._threads)

    def run(self, kernel: Callable[..., None], offsets: Int64Array, *arguments: Any) -> None:
        """Calls ``kernel(*arguments, first, last)`` for pieces of the batch with about as many tokens each."""
        n_pieces = min(len(offsets) - 1, self._threads * _PIECES_PER_THREAD)
        marks = np.linspace(0, offsets[-1], n_pieces + 1)
        cuts = np.unique(np.searchsorted(offsets, marks))
        list(self._pool.map(lambda first, last: kernel(*arguments, first, last), cuts[:-1], cuts[1:]))

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown()


class Recurrence(Protocol):
    """One direction of a recurrent layer.

    Attributes:
        variables: The Keras variables it trains: kernel, recurrent kernel, bias.
    """

    variables: list[Any]

    def forward(self, batch: WordBatch) -> FloatArray:
        """Returns the state after each text's last token, float32 [n, units]."""
        ...

    def backward(self, d_hidden: FloatArray) -> list[FloatArray]:
        """Returns the gradients by `variables`, given the loss's by what `forward` returned last."""
        ...


class LSTMRecurrence:
    """An LSTM layer's cell, with Keras' gate order: input, forget, candidate, output."""

    def __init__(self, cell: Any, workers: Workers) -> None:
        self.variables = [cell.kernel, cell.recurrent_kernel, cell.bias]
        self._workers = workers

    def forward(self, batch: WordBatch) -> FloatArray:
        """See `Recurrence.forward`."""
        kernel, self._recurrent, bias = (variable.numpy() for variable in self.variables)
        units, total = len(self._recurrent), len(batch.words)
        self._batch = batch
        self._gates = np.empty((total, 4 * units), np.float32)
        self._cells, self._before = np.empty((2, total, units), np.float32)
        hidden = np.empty((len(batch.offsets) - 1, units), np.float32)
        table = batch.embeddings @ kernel + bias
        states = (self._gates, self._cells, self._before, hidden)
        self._workers.run(
            kernels.lstm_forward, batch.offsets, table, batch.words, batch.offsets, self._recurrent, *states
        )
        return hidden

    def backward(self, d_hidden: FloatArray) -> list[FloatArray]:
        """See `Recurrence.backward`."""
        batch, transposed = self._batch, np.ascontiguousarray(self._recurrent.T)
        arguments = (transposed, batch.offsets, self._gates, self._cells, d_hidden)
        self._workers.run(kernels.lstm_backward, batch.offsets, *arguments)
        d_table = np.zeros((len(batch.embeddings), self._gates.shape[1]), np.float32)
        kernels.add_rows(self._gates, batch.words, d_table)
        return [batch.embeddings.T @ d_table, self._before.T @ self._gates, d_table.sum(axis=0)]


class GRURecurrence:
    """A GRU layer's cell with `reset_after=True`: update, reset, candidate, and two biases."""

    def __init__(self, cell: Any, workers: Workers) -> None:
        self.variables = [cell.kernel, cell.recurrent_kernel, cell.bias]
        self._workers = workers

    def forward(self, batch: WordBatch) -> FloatArray:
        """See `Recurrence.forward`."""
        kernel, self._recurrent, biases = (variable.numpy() for variable in self.variables)
        units, total = len(self._recurrent), len(batch.words)
        self._batch = batch
        self._gates = np.empty((total, 4 * units), np.float32)
        self._before = np.empty((total, units), np.float32)
        hidden = np.empty((len(batch.offsets) - 1, units), np.float32)
        inputs = (batch.embeddings @ kernel + biases[0], batch.words, batch.offsets)
        states = (self._gates, self._before, hidden)
        self._workers.run(kernels.gru_forward, batch.offsets, *inputs, self._recurrent, biases[1], *states)
        return hidden

    def backward(self, d_hidden: FloatArray) -> list[FloatArray]:
        """See `Recurrence.backward`."""
        batch, transposed = self._batch, np.ascontiguousarray(self._recurrent.T)
        arguments = (transposed, batch.offsets, self._gates, self._before, d_hidden)
        self._workers.run(kernels.gru_backward, batch.offsets, *arguments)
        units = len(self._recurrent)
        d_table = np.zeros((len(batch.embeddings), 3 * units), np.float32)
        kernels.add_rows(self._gates, batch.words, d_table)
        d_states = np.concatenate([self._gates[:, : 2 * units], self._gates[:, 3 * units :]], axis=1)
        d_biases = np.stack([d_table.sum(axis=0), d_states.sum(axis=0)])
        return [batch.embeddings.T @ d_table, self._before.T @ d_states, d_biases]
