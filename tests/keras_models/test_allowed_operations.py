"""Functions of `keras.ops` in a saved graph: those of arithmetic are let through, the others known by name."""

import importlib
import inspect
import pathlib

import keras
import numpy as np
import pytest
from keras import layers, ops

from saiten.model.errors import BundleError
from saiten.model.keras_models.allowed_layers import OPERATION_MODULES, OPERATIONS, is_allowed
from saiten.model.keras_models.model_file import read_model_file
from tests.people.tried import prove

# What calls functions.
CALLING = {"AssociativeScan", "Cond", "ForiLoop", "JVP", "Map", "Scan", "Switch", "VectorizedMap", "WhileLoop"}
# What makes a tensor of a size that the file says.
GROWING = {
    "Arange", "Bincount", "BroadcastTo", "Diag", "Diagflat", "ExtractSequences", "Full", "Geomspace", "Histogram",
    "Kron", "Linspace", "Logspace", "Meshgrid", "MultiHot", "OneHot", "Outer", "Pad", "Repeat", "Scatter",
    "SegmentMax", "SegmentMin", "SegmentProd", "SegmentReduction", "SegmentSum", "Tile", "Vander",
}  # fmt: skip
# What nobody makes scores of texts of: losses, pictures, signals, what is solved, what is no number for each text.
OTHERS = {
    "AdaptiveAveragePool", "AdaptiveMaxPool", "AllClose", "Array", "AveragePool", "BatchNorm", "BinaryCrossentropy",
    "CDist", "CTCDecode", "CTCLoss", "CategoricalCrossentropy", "Cholesky", "CholeskyInverse", "Conv", "ConvTranspose",
    "Corrcoef", "Correlate", "DepthToSpace", "DepthwiseConv", "Det", "Dsplit", "Eig", "Eigh", "EmptyLike", "FFT",
    "FFT2", "Fold", "I0", "IFFT2", "IRFFT", "ISTFT", "InTopK", "Inv", "Logdet", "Lstsq", "LuFactor", "MatrixRank",
    "MaxPool", "Ndim", "Nonzero", "PSNR", "Pinv", "Polar", "Qr", "RFFT", "Rot90", "STFT", "SVD", "SaturateCast",
    "ScatterUpdate", "SeparableConv", "Size", "SliceUpdate", "Slogdet", "Solve", "SolveTriangular", "SpaceToDepth",
    "SparseCategoricalCrossentropy", "Unfold", "Unique", "UnravelIndex", "View", "ViewAsComplex", "ViewAsReal",
}  # fmt: skip


def test_every_function_of_keras_is_known() -> None:
    """One that a new version of Keras brings is to be judged: does it call a function, or make much of little?"""
    modules = [importlib.import_module(name) for name in OPERATION_MODULES]
    found = {
        name
        for module in modules
        for name, cls in vars(module).items()
        if inspect.isclass(cls) and issubclass(cls, keras.Operation) and cls.__module__ == module.__name__
    }
    judged = (OPERATIONS, CALLING, GROWING, OTHERS)
    assert found == frozenset().union(*judged)
    assert len(found) == sum(map(len, judged))


@pytest.mark.parametrize("name", sorted(CALLING | GROWING))
def test_what_calls_functions_or_makes_much_of_little_is_not_let_through(name: str) -> None:
    assert not any(is_allowed(module, name) for module in OPERATION_MODULES)


def test_a_count_of_ids_needs_no_trust(tmp_path: pathlib.Path) -> None:
    ids = keras.Input((None,), dtype="int32")
    words = layers.Embedding(9, 4, mask_zero=True)(ids)
    count = ops.cast(ops.count_nonzero(ids, axis=1), "float32")[:, None]
    keras.Model(ids, layers.Dense(2)(layers.Concatenate()([layers.LSTM(3)(words), count]))).save(tmp_path / "m.keras")
    model, _ = read_model_file(tmp_path / "m.keras")
    prove(model)


def test_a_function_that_repeats_needs_it(tmp_path: pathlib.Path) -> None:
    ids = keras.Input((None,), dtype="int32")
    state = layers.LSTM(3)(layers.Embedding(9, 4, mask_zero=True)(ids))
    keras.Model(ids, ops.tile(state, (1, 2))).save(tmp_path / "m.keras")
    with pytest.raises(BundleError, match=r"Keras' function Tile .*which is none of those that models of texts"):
        read_model_file(tmp_path / "m.keras")
    model, _ = read_model_file(tmp_path / "m.keras", trust=True)
    assert np.isfinite(model(np.array([[1, 2, 0]]))).all()
