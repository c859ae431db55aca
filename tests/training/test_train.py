"""Training from records to a bundle: the same seed the same scores, whatever the labels' unit."""

import itertools
import json
import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.model.bundle.reference import LENGTH_EDGES
from saiten.model.errors import BundleError, UsageError
from saiten.model.text.ragged import FloatArray
from saiten.model.training.config import NetworkConfig, TrainingConfig, Word2VecConfig
from saiten.model.training.recipes import RECIPES
from saiten.model.training.targets import ClassLabels, NumberLabels
from saiten.model.training.train import TrainingResult, train
from saiten.model.training.watcher import EpochReport
from tests.helpers.labelled import reviews

CONFIG = TrainingConfig(
    word2vec=Word2VecConfig(dimensions=16, epochs=3),
    min_count=1,
    network=NetworkConfig("lstm", 8),
    learning_rate=0.02,
    batch_size=16,
    epochs=14,
    patience=8,
    validation_fraction=0.2,
    max_sequence_length=40,
)
WIDE_DEEP = replace(
    RECIPES["wide_deep"], word2vec=CONFIG.word2vec, batch_size=16, epochs=4, validation_fraction=0.2, learning_rate=0.01
)
LABELS = NumberLabels(["good", "bad"])
TEXTS = ["とても美味しい。", "まずい料理だ。", "知らない言葉ばかり", "駅の近くにある店。" * 9]


def _train(path: pathlib.Path, scale: float = 1.0, **settings: Any) -> TrainingResult:
    records = ((text, [label * scale for label in labels]) for text, labels in reviews(300))
    return train(records, labels=LABELS, bundle_path=path, config=replace(CONFIG, **settings))


def _scores(bundle: StoredBundle) -> FloatArray:
    encoded = bundle.encoder().encode(TEXTS)
    return bundle.engine("keras").score(encoded.token_ids, encoded.offsets)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return _train(tmp_path_factory.mktemp("trained") / "bundle")


def test_it_learns_what_the_texts_say(trained: TrainingResult) -> None:
    metrics = trained.training["metrics"]
    assert metrics["texts"] == trained.training["data"]["held_out"]
    assert metrics["accuracy"] >= 0.9
    assert metrics["outputs"]["good"]["mse"] < 0.1
    scores = _scores(trained.bundle)
    assert scores[0, 0] > 0.7 > 0.3 > scores[1, 0]


def test_the_bundle_says_how_it_was_trained(trained: TrainingResult) -> None:
    bundle = read_bundle(trained.bundle.path)
    assert bundle.outputs == ["good", "bad"]
    training = bundle.manifest.training
    assert training == json.loads(json.dumps(trained.training))
    assert training["settings"]["seed"] == 0
    assert training["data"]["texts"] == training["data"]["used"] == 300
    assert training["data"]["skipped"] == {}
    assert 1 <= len(training["epochs"]) <= 14
    reference = bundle.reference()
    assert reference is not None
    assert reference.texts == 300
    assert reference.scores["good"].mean == pytest.approx(0.5, abs=0.15)
    assert reference.n_tokens.histogram.edges == LENGTH_EDGES


def test_the_same_seed_gives_the_same_vocabulary_and_scores(trained: TrainingResult, tmp_path: pathlib.Path) -> None:
    again = _train(tmp_path / "again").bundle
    assert again.encoder().vocabulary.words == trained.bundle.encoder().vocabulary.words
    np.testing.assert_allclose(_scores(again), _scores(trained.bundle), atol=1e-6)


@pytest.mark.thorough
def test_the_default_recipe_learns_classes_and_gives_the_same_scores_again(tmp_path: pathlib.Path) -> None:
    results = []
    for name in ("first", "second"):
        records = ((text, "良" if good else "悪") for text, (good, _) in reviews(300))
        results.append(train(records, labels=ClassLabels(), bundle_path=tmp_path / name, config=WIDE_DEEP))
    bundle, training = results[0].bundle, results[0].training
    assert (bundle.outputs, bundle.manifest.task) == (["悪", "良"], "classes")
    assert training["labels"] == {"task": "classes", "loss": "categorical_crossentropy"}
    assert training["settings"]["recipe"] == "wide_deep"
    assert training["settings"]["network"]["n_pairs"] == 2**14
    assert training["metrics"]["accuracy"] >= 0.95
    assert len(training["factors"]) == 2
    scores = _scores(bundle)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert scores[0, 1] > 0.8 > 0.2 > scores[1, 1]
    np.testing.assert_allclose(_scores(results[1].bundle), scores, atol=1e-6)


@pytest.mark.thorough
def test_a_label_that_some_texts_lack_is_learnt_from_the_others(tmp_path: pathlib.Path) -> None:
    records = ((text, [good, np.nan if i % 3 else 5 * bad]) for i, (text, (good, bad)) in enumerate(reviews(300)))
    result = train(records, labels=LABELS, bundle_path=tmp_path / "b", config=replace(WIDE_DEEP, epochs=6))
    data, outputs = result.training["data"], result.training["metrics"]["outputs"]
    assert (data["used"], data["missing_labels"]) == (300, 200)
    assert 0 < outputs["bad"]["texts"] < outputs["good"]["texts"] == data["held_out"]
    assert outputs["bad"]["spearman"] > 0.8


@pytest.mark.parametrize("labels", ["numbers", "classes"])
def test_figures_are_from_before_the_epochs_on_all_texts(labels: str, tmp_path: pathlib.Path) -> None:
    results = []
    for n_epochs in (0, 2):
        config = replace(CONFIG, epochs=1, refit_epochs=n_epochs)
        if labels == "classes":
            records = [(text, "良" if good else "悪") for text, (good, _) in reviews(300)]
            config = replace(config, loss=None)
            results.append(train(records, labels=ClassLabels(), bundle_path=tmp_path / f"{n_epochs}", config=config))
        else:
            results.append(_train(tmp_path / f"{n_epochs}", epochs=1, refit_epochs=n_epochs))
    before, after = (result.training for result in results)
    assert [training["settings"]["refit_epochs"] for training in (before, after)] == [0, 2]
    assert before["metrics"] == after["metrics"]
    assert np.abs(_scores(results[0].bundle) - _scores(results[1].bundle)).max() > 1e-3


def test_a_validation_input_is_held_out(tmp_path: pathlib.Path) -> None:
    texts, validation = list(reviews(200)), list(reviews(40, seed=9))
    config = replace(CONFIG, epochs=1, refit_epochs=2)
    result = train(texts, labels=LABELS, bundle_path=tmp_path / "b", config=config, validation=validation)
    assert result.training["settings"]["refit_epochs"] == 0, "what is held out on purpose is not learned from"
    own = {text for text, _ in validation}
    n_equal = sum(text in own for text, _ in texts)
    data = result.training["data"]
    assert (data["held_out"], data["held_out_by"]) == (40, "--validation_input")
    assert (data["skipped"], data["used"]) == ({"IN_VALIDATION_INPUT": n_equal}, 240 - n_equal)


@pytest.mark.thorough
def test_another_seed_gives_other_scores(trained: TrainingResult, tmp_path: pathlib.Path) -> None:
    other = _train(tmp_path / "other", seed=1, epochs=1).bundle
    assert np.abs(_scores(other) - _scores(trained.bundle)).max() > 1e-3


@pytest.mark.thorough
def test_the_labels_unit_does_not_matter(tmp_path: pathlib.Path) -> None:
    """A rating out of 1,000 is learnt as well as one out of 1: the labels are standardised."""
    large, small = (_train(tmp_path / str(scale), scale, epochs=2).bundle for scale in (1_000.0, 1.0))
    np.testing.assert_allclose(_scores(large) / 1_000, _scores(small), atol=1e-4)


@pytest.mark.parametrize("network", ["bilstm", "gru"])
@pytest.mark.thorough
def test_other_networks_oov_dropped_and_further_text(network: str, tmp_path: pathlib.Path) -> None:
    result = train(
        reviews(60),
        labels=LABELS,
        bundle_path=tmp_path / "bundle",
        config=replace(CONFIG, network=NetworkConfig(network, 8), oov="drop", epochs=1),
        further_texts=["山道を歩く。", ""],
    )
    vocabulary = result.bundle.encoder().vocabulary
    assert vocabulary.words[:2] == ["<pad>", None]
    assert vocabulary.oov_id is None
    assert "山道" in vocabulary.ids
    assert result.training["data"]["further_texts"] == 1
    assert result.training["data"]["further_skipped"] == {"EMPTY": 1}
    assert np.isfinite(_scores(result.bundle)[:2]).all()


def test_ready_vectors_are_used(tmp_path: pathlib.Path) -> None:
    (tmp_path / "vectors.txt").write_text("2 3\n美味しい 1 2 3\n料理 4 5 6\n", encoding="utf-8")
    result = _train(tmp_path / "bundle", vectors=tmp_path / "vectors.txt", epochs=1)
    assert result.training["words"]["with_vector"] == 2
    assert result.training["settings"]["vectors"] == "vectors.txt"
    vocabulary = result.bundle.encoder().vocabulary
    import keras

    model = keras.models.load_model(result.bundle.path / "model.keras", compile=False)
    matrix = model.get_layer("embedding").get_weights()[0]
    assert matrix[vocabulary.ids["料理"]].tolist() == [4, 5, 6]
    assert matrix[0].tolist() == [0, 0, 0]
    assert matrix[1].tolist() == [2.5, 3.5, 4.5]


class NotToBeRead:
    def __iter__(self) -> Iterator[tuple[str, Sequence[float]]]:
        raise AssertionError


def test_a_used_bundle_directory_is_refused_before_anything_is_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(BundleError, match="exists and is not empty; give a new directory"):
        train(NotToBeRead(), labels=LABELS, bundle_path=tmp_path, config=CONFIG)


BY_TRAIN = (
    "run pip install '.[train]' in Saiten's checkout, or pip install 'WHEEL[train]' where WHEEL is the file of its "
    "wheel"
)


@pytest.mark.parametrize(
    ("library", "message"),
    [
        ("gensim", f"gensim is not installed: {BY_TRAIN}, or give ready --vectors."),
        ("scipy", f"scipy is not installed: {BY_TRAIN}."),
    ],
)
def test_a_missing_library_is_named_with_what_brings_it_before_anything_is_read(
    library: str, message: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saiten is on no index: whatever has its name there is somebody else's."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == library else name)
    with pytest.raises(UsageError) as caught:
        train(NotToBeRead(), labels=LABELS, bundle_path=tmp_path / "b", config=CONFIG)
    assert str(caught.value) == message


def test_records_are_read_once_and_progress_is_told(tmp_path: pathlib.Path) -> None:
    told: list[tuple[str, int | None]] = []
    steps: dict[str, int] = {}

    class Watcher:
        def begin(self, stage: str, total: int | None) -> None:
            told.append((stage, total))

        def say(self, line: str) -> None:
            told.append((line, None))

        def advance(self, n: int) -> None:
            steps[told[-1][0]] = steps.get(told[-1][0], 0) + n

        def end_epoch(self, report: EpochReport) -> None:
            told.append((f"ended {report.epoch}", None))

    records = iter(list(itertools.islice(reviews(40), 40)))
    config = replace(CONFIG, epochs=1)
    result = train(records, labels=LABELS, bundle_path=tmp_path / "b", config=config, watcher=Watcher())
    n_training = 40 - result.training["data"]["held_out"]
    assert told == [
        ("segmenting", None),
        ("2 numbers a text, mse (--loss sets another)", None),
        (f"{40 - n_training} texts held out, a share: none equals, normalised, one that is trained on", None),
        ("counting words", None),
        ("encoding", 40),
        ("word2vec", 3),
        ("compiling the network", None),
        ("epoch 1", n_training),
        ("ended 1", None),
        ("scoring the training data", 40),
        ("proving and writing the bundle", None),
    ]
    assert steps == {
        "segmenting": 40, "word2vec": 3, "encoding": 40, "epoch 1": n_training, "scoring the training data": 40,
    }  # fmt: skip


def test_a_bad_label_leaves_no_bundle(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match="Record 0 needs 2 finite labels"):
        train([("店", [float("inf"), 1])], labels=LABELS, bundle_path=tmp_path / "b", config=CONFIG)
    assert not (tmp_path / "b").exists()
