"""The networks that are trained: fixed masked embedding, one recurrent layer, linear scores."""

import pathlib

import keras
import numpy as np
import pytest

from saiten.model.errors import UsageError
from saiten.model.keras_models.mask import refuse_lost_mask
from saiten.model.training.config import NETWORKS
from saiten.model.training.learner import Learner
from saiten.model.training.network import build_network

EMBEDDINGS = np.random.default_rng(0).normal(0, 1, (12, 4)).astype(np.float32)


@pytest.mark.parametrize("network", NETWORKS)
def test_scores_survive_padding_and_a_round_trip_through_a_file(network: str, tmp_path: pathlib.Path) -> None:
    model = build_network(network, EMBEDDINGS, 3, 2)
    refuse_lost_mask(model)
    short = np.array([[5, 7, 2]], np.int32)
    expected = model(short).numpy()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    for padded in ([[5, 7, 2, 0, 0]], [[0, 0, 5, 7, 2]]):
        np.testing.assert_allclose(loaded(np.array(padded, np.int32)).numpy(), expected, atol=1e-6)


def test_layers_are_named_and_the_embedding_is_not_trained() -> None:
    model = build_network("bilstm", EMBEDDINGS, 3, 2)
    assert [layer.name for layer in model.layers if layer.get_weights()] == ["embedding", "bilstm", "scores"]
    np.testing.assert_array_equal(model.get_layer("embedding").get_weights()[0], EMBEDDINGS)
    assert [tuple(variable.shape) for variable in model.trainable_variables] == [
        (4, 12), (3, 12), (12,), (4, 12), (3, 12), (12,), (6, 2), (2,),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("network", "units", "message"),
    [
        ("rnn", 3, "There is no network 'rnn'; choose one of lstm, bilstm, gru."),
        ("lstm", 0, "A network needs 1 unit and 1 output or more, not 0 and 2."),
    ],
)
def test_a_network_that_cannot_be_built_is_refused_in_one_sentence(network: str, units: int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        build_network(network, EMBEDDINGS, units, 2)
    assert str(caught.value) == message


@pytest.mark.parametrize(("loss", "optimizer"), [("mape", "adam"), ("mse", "lion")])
def test_an_unknown_loss_or_optimizer_is_refused(loss: str, optimizer: str) -> None:
    with pytest.raises(UsageError, match=r"'(mape|lion)' is not one of (mse, mae, huber|adam, .*sgd)\."):
        Learner(build_network("lstm", EMBEDDINGS, 3, 2), loss, optimizer, 1e-3)
