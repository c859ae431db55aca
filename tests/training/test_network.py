"""The networks that are trained, and what of them is saved: masked, of Keras' own layers, factors folded in."""

import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from saiten.model.engines.packing.pack_model import pack_model
from saiten.model.text.ragged import FloatArray, offsets_of
from saiten.model.training.config import NETWORKS, NetworkConfig
from saiten.model.training.networks.network import Network, WordDropout
from saiten.model.training.recipes import RECIPES

EMBEDDINGS = np.random.default_rng(0).normal(0, 1, (12, 4)).astype(np.float32)
WORDS = [None, None, "高い", "安い", "とても高い", "店", "料理", "料理店", "。", "、", "味", "駅"]
MEAN, DEVIATION = np.float32([10, 20]), np.float32([2, 3])
WIDE_DEEP = NetworkConfig("bilstm", 3, "mean_max", 4, train_vectors=True, dropout=0.5, wide=True, n_pairs=50)
CONFIGS = {
    **{f"{name} alone": NetworkConfig(name, 3) for name in NETWORKS},
    **{f"{name}, wide and deep": NetworkConfig(name, 3, "mean_max", 4, wide=True, n_pairs=50) for name in NETWORKS},
    "wide beside the last state": NetworkConfig("lstm", 3, wide=True, n_pairs=50),
    "with dropout": WIDE_DEEP,
}
TEXTS = [[5, 7, 2, 5, 7, 1, 3], [4], [8, 8, 8]]


def build(config: NetworkConfig) -> Network:
    """Returns a network whose every weight is drawn."""
    network = Network(config, EMBEDDINGS, 2, WORDS, np.float32([0.5, -0.5]))
    generator = np.random.default_rng(1)
    for variable in network.trained.trainable_variables:
        variable.assign(variable.numpy() + generator.normal(0, 0.3, variable.shape))
    return network


def padded(texts: list[list[int]], before: int, behind: int) -> FloatArray:
    width = before + max(map(len, texts)) + behind
    rows = [[0] * (width - len(text) - behind) + text + [0] * behind for text in texts]
    return np.array(rows, np.int32)


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_saved_and_packed_gives_the_parts_times_their_factors_however_it_is_padded(
    name: str, tmp_path: pathlib.Path
) -> None:
    network = build(CONFIGS[name])
    alone = np.concatenate([network.trained(np.array([text], np.int32)).numpy() for text in TEXTS])
    factors = np.array([0.5, 2.0][: alone.shape[1]])
    expected = np.tensordot(alone, factors, ((1,), (0,))) * DEVIATION + MEAN
    network.saved("numbers", factors, MEAN, DEVIATION).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    for before, behind in ((0, 0), (0, 9), (9, 0), (3, 4)):
        np.testing.assert_allclose(loaded(padded(TEXTS, before, behind)).numpy(), expected, rtol=1e-6, atol=1e-5)
    packed = pack_model(loaded).score(
        np.concatenate(TEXTS).astype(np.int32), offsets_of(np.array(list(map(len, TEXTS))))
    )
    np.testing.assert_allclose(packed, expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_seed_alone_decides_what_is_left_to_chance(name: str) -> None:
    """Any other thread may draw from the generators that a process has in common."""

    def draw(seed: int, common_seed: int) -> list[FloatArray]:
        keras.utils.set_random_seed(common_seed)
        network = Network(CONFIGS[name], EMBEDDINGS, 2, WORDS, seed=seed)
        keras.utils.set_random_seed(common_seed + 1)
        return [*network.trained.get_weights(), network.trained(padded(TEXTS, 0, 0), training=True).numpy()]

    first = draw(3, common_seed=0)
    for a, b in zip(first, draw(3, common_seed=5), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first[-1] != draw(4, common_seed=0)[-1]).any()


def test_the_two_directions_begin_with_different_weights() -> None:
    both = Network(WIDE_DEEP, EMBEDDINGS, 2, WORDS).trained.get_layer("bilstm")
    for forward, backward in zip(both.forward_layer.get_weights(), both.backward_layer.get_weights(), strict=True):
        assert forward.ndim == 1 or (forward != backward).any()


@pytest.mark.parametrize(("task", "axis"), [("classes", 1), ("labels", None)])
def test_classes_sum_to_one_and_labels_are_shares_of_their_own(task: str, axis: int | None) -> None:
    network = build(WIDE_DEEP)
    logits = network.trained(padded(TEXTS, 0, 0)).numpy().sum(axis=1)
    scores = network.saved(task, np.ones(2), np.zeros(2, np.float32), np.ones(2, np.float32))(padded(TEXTS, 0, 0))
    powers = np.exp(logits)
    expected = powers / powers.sum(axis=1, keepdims=True) if axis else powers / (1 + powers)
    np.testing.assert_allclose(scores.numpy(), expected, atol=1e-6)


@pytest.mark.thorough
def test_keras_opens_what_is_saved_where_saiten_is_not_installed(tmp_path: pathlib.Path) -> None:
    ones = np.ones(2, np.float32)
    model = build(WIDE_DEEP).saved("classes", np.ones(2), ones, ones)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "expected.npy", model(padded(TEXTS, 0, 0)).numpy())
    (tmp_path / "try.py").write_text(
        "import sys\n"
        "sys.modules['saiten'] = None\n"
        "import keras, numpy\n"
        "model = keras.models.load_model('model.keras')\n"
        f"scores = model.predict(numpy.array({padded(TEXTS, 0, 0).tolist()}, 'int32'), verbose=0)\n"
        "numpy.testing.assert_allclose(scores, numpy.load('expected.npy'), atol=1e-6)\n"
    )
    subprocess.run([sys.executable, "-I", "try.py"], cwd=tmp_path, check=True, capture_output=True)


def test_the_article_has_a_fixed_embedding_one_lstm_and_a_dense_layer() -> None:
    network = build(RECIPES["article"].network)
    assert [tuple(v.shape) for v in network.trained.trainable_variables] == [(4, 128), (32, 128), (128,), (32, 2), (2,)]
    model = network.saved("numbers", np.ones(1), np.zeros(2, np.float32), np.ones(2, np.float32))
    assert [layer["class_name"] for layer in json.loads(model.to_json())["config"]["layers"]] == [
        "InputLayer", "Embedding", "NotEqual", "LSTM", "Dense",
    ]  # fmt: skip
    np.testing.assert_array_equal(model.get_layer("embedding").get_weights()[0], EMBEDDINGS)


def test_the_recurrent_part_reads_the_first_tokens_alone() -> None:
    network = build(WIDE_DEEP)
    parts = network.trained(np.array([[5, 7, 2, 5, 3, 4], [5, 7, 2, 5, 0, 0], [5, 7, 2, 4, 3, 4]], np.int32)).numpy()
    np.testing.assert_allclose(parts[0, 0], parts[1, 0], atol=1e-6)
    assert np.abs(parts[0, 0] - parts[2, 0]).max() > 1e-3
    assert np.abs(parts[0, 1] - parts[1, 1]).max() > 1e-3


def test_word_dropout_makes_oov_of_some_words_while_training_and_of_no_padding() -> None:
    ids = np.array([[3] * 500 + [0] * 500], np.int32)
    layer = WordDropout(0.2, seed=0)
    np.testing.assert_array_equal(layer(ids), ids)
    dropped = np.asarray(layer(ids, training=True))
    assert set(dropped[0, :500]) == {1, 3}
    assert 0.1 < (dropped[0, :500] == 1).mean() < 0.3
    assert set(dropped[0, 500:]) == {0}
