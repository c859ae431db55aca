"""All operations of the packed engine, by the names that `packed.npz` has for them."""

from collections.abc import Mapping

from saiten.model.engines.packed.arithmetic import Columns, ColumnSum, Combine, Concatenate, Constant
from saiten.model.engines.packed.distinct import DistinctSum
from saiten.model.engines.packed.operation import Operation
from saiten.model.engines.packed.pooling import AdditiveAttention, Attention, Pool, StepSoftmax
from saiten.model.engines.packed.recurrence import GRU, LSTM, SimpleRNN
from saiten.model.engines.packed.stepwise import (
    Activation,
    Dense,
    Normalize,
    Scale,
    Softmax,
)

OPERATIONS: Mapping[str, type[Operation]] = {
    operation.kind: operation
    for operation in (
        Activation, AdditiveAttention, Attention, Columns, ColumnSum, Combine, Concatenate, Constant, Dense,
        DistinctSum, GRU, LSTM, Normalize, Pool, Scale, SimpleRNN, Softmax, StepSoftmax,
    )
}  # fmt: skip
