"""Finds the layer at fault in a model that reads its padding, or cannot be computed for it, call by call.

Texts are computed alone and padded. The first call whose values differ where the texts stand is at fault, for all that
it reads agrees; or a call before it, which was given a mask and handed on none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from saiten.model.keras_models.graph import Call, Graph, Tensor, graph_of
from saiten.model.keras_models.layers import model_vocabulary_size
from saiten.model.keras_models.padding.run_graph import run_graph

_N_TEXTS = 3
# Ids of a text, how many of padding, and where. One id alone leaves a pool of two nothing.
_PADDED = ((5, 6, "post"), (5, 6, "pre"), (1, 6, "post"), (5, 700, "post"))
# Rounding changes values by some 1e-6, padding by 1e-3 and more.
_MOST_ROUNDING = 1e-5


@dataclass(frozen=True)
class PaddingReader:
    """A call that reads padding as text, or cannot be computed for any number of steps.

    Attributes:
        call: The one.
        is_masked: All steps that it reads have a mask.
        loser: The call before it that read a mask and handed on none; None where there is none.
        steps_axis: Which axis of what it reads are the steps; 0, the texts', where it mixes those; None where it reads
            none.
        rank: How many axes that has.
        raised: Keras cannot compute it.
    """

    call: Call
    is_masked: bool
    loser: Call | None
    steps_axis: int | None
    rank: int
    raised: bool


def find_padding_reader(model: Any) -> PaddingReader | None:
    """Returns the layer at fault, None where values differ nowhere.

    Args:
        model: A `keras.Model` with one input, of ids.
    """
    graph = graph_of(model)
    generator = np.random.default_rng(0)
    vocabulary_size = model_vocabulary_size(model)
    for length, more, padding in _PADDED:
        ids = generator.integers(1, vocabulary_size, (_N_TEXTS, length), np.int32)
        padded = np.pad(ids, ((0, 0), (0, more) if padding == "post" else (more, 0)))
        found = _Trial(model, graph, more, padding).first_at_fault(ids, padded)
        if found is not None:
            return found
    # The same text alone and above others, as if they were its padding.
    ids = generator.integers(1, vocabulary_size, (_N_TEXTS, 5), np.int32)
    return _Trial(model, graph, _N_TEXTS - 1, "post").first_at_fault(ids[:1], ids)


class _Trial:
    """One way of padding: what every call gives for texts alone, and for the same ones padded."""

    def __init__(self, model: Any, graph: Graph, more: int, padding: str) -> None:
        self.model, self.graph, self.more, self.padding = model, graph, more, padding
        self.computed: list[Sequence[tuple[Any, Any]]] = []

    def first_at_fault(self, ids: Any, padded: Any) -> PaddingReader | None:
        import keras

        runs = [run_graph(self.model, self.graph, matrix) for matrix in (ids, padded)]
        for call in self.graph.calls:
            try:
                alone, both = (keras.tree.flatten(next(run)) for run in runs)
            except Exception:  # noqa: BLE001 - Keras raises anything over steps that a layer is not made for
                return self._described(call, raised=True)
            self.computed.append(list(zip(alone, both, strict=True)))
            if any(self._differs(*pair) for pair in self.computed[-1]):
                return self._described(call, raised=False)
        return None

    def _differs(self, alone: Any, padded: Any) -> bool:
        if not hasattr(alone, "shape"):  # a class of somebody's own gives anything
            return False
        at_text: list[slice] = []
        for short, long in zip(alone.shape, padded.shape, strict=True):
            if long - short > self.more:  # steps became features
                return True
            if long - short not in (0, self.more):  # steps were put together: what is read of them later tells
                return False
            at_text.append(slice(short) if self.padding == "post" else slice(long - short, None))
        values, wanted = np.asarray(padded, np.float64)[tuple(at_text)], np.asarray(alone, np.float64)
        with np.errstate(invalid="ignore"):
            difference = np.abs(values - wanted) / np.maximum(1.0, np.abs(wanted))
        return bool((np.nan_to_num(difference, nan=np.inf) > _MOST_ROUNDING).any())

    def _described(self, call: Call, *, raised: bool) -> PaddingReader:
        read = [tensor for tensor in call.read() if self._steps_axis(tensor) is not None]
        unmasked = [tensor for tensor in read if not self._is_masked(tensor)] if not call.keywords.get("mask") else []
        losers = filter(None, map(self._loser, unmasked))
        return PaddingReader(
            call,
            is_masked=bool(read) and not unmasked,
            loser=next(losers, None),
            steps_axis=self._steps_axis(read[0]) if read else None,
            rank=len(self._pair(read[0])[0].shape) if read else 0,
            raised=raised,
        )

    def _loser(self, tensor: Tensor) -> Call | None:
        """Returns the nearest call before a tensor that was given a mask, which the tensor lacks."""
        call = self.graph.calls[tensor.call]
        read = [each for each in call.read() if self._steps_axis(each) is not None]
        if any(map(self._is_masked, read)):
            return call
        return next(filter(None, map(self._loser, read)), None)

    def _pair(self, tensor: Tensor) -> tuple[Any, Any]:
        return self.computed[tensor.call][tensor.output]

    def _steps_axis(self, tensor: Tensor) -> int | None:
        axes = zip(*(getattr(value, "shape", ()) for value in self._pair(tensor)), strict=True)
        return next((i for i, (short, long) in enumerate(axes) if short != long), None)

    def _is_masked(self, tensor: Tensor) -> bool:
        return getattr(self._pair(tensor)[1], "_keras_mask", None) is not None
