"""A bundle says what it is, gives back what was written, and is refused when anything differs."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.model.bundle.bundle_manifest import without_holes
from saiten.model.bundle.encoder_settings import describe_encoder
from saiten.model.bundle.golden import N_GOLDEN, choose_golden_texts
from saiten.model.bundle.replay import replay_scores
from saiten.model.bundle.validation import validate_bundle
from saiten.model.bundle.writer import write_bundle
from saiten.model.errors import BundleError, UsageError
from saiten.model.text.encoder import Encoder
from saiten.model.text.vocabulary import OOV_ID, OOV_WORD, PAD_WORD, Vocabulary
from tests.conftest import SENTENCES
from tests.helpers.forgery import bundle_fields
from tests.helpers.networks import build_model

LINE_ENDS = ("\u2028", "\u2029", "\x85")


def write(path: pathlib.Path, encoder: Encoder, model: Any, **changes: Any) -> StoredBundle:
    settings = {"outputs": ["a", "b"], "golden_texts": SENTENCES, "training": {}, "reference": {}} | changes
    return write_bundle(path, model=model, encoder=encoder, **settings)


# --- what is written comes back ---


def test_the_encoder_comes_back(tiny_bundle: StoredBundle, encoder: Encoder) -> None:
    again = read_bundle(tiny_bundle.path).encoder()
    assert again.vocabulary.words == encoder.vocabulary.words
    assert describe_encoder(again) == describe_encoder(encoder)


@pytest.fixture(scope="module")
def odd_bundle(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, tiny_model: Any) -> StoredBundle:
    """A bundle in a folder that was there, empty; with line ends in golden texts, and holes in what it tells."""
    training, reference = {"spearman": [float("nan"), 0.5], "loss": float("inf")}, {"mean": float("nan")}
    golden_texts = [f"とても{end}高い" for end in LINE_ENDS]
    changes: dict[str, Any] = {"training": training, "reference": reference, "golden_texts": golden_texts}
    return write(tmp_path_factory.mktemp("odd"), encoder, tiny_model, **changes)


def test_a_golden_text_may_hold_any_line_end(odd_bundle: StoredBundle) -> None:
    assert {f"とても{end}高い" for end in LINE_ENDS} <= {record.text for record in odd_bundle.golden()}


@pytest.mark.parametrize("name", ["packed", "keras"])
def test_both_engines_give_the_models_scores(
    name: str, tiny_bundle: StoredBundle, encoder: Encoder, tiny_model: Any
) -> None:
    encoded = encoder.encode(SENTENCES)
    expected = [
        tiny_model(encoded.token_ids[None, encoded.offsets[i] : encoded.offsets[i + 1]]).numpy()[0]
        for i in range(len(SENTENCES))
    ]
    engine = tiny_bundle.engine(name)
    assert engine.name == name
    np.testing.assert_allclose(engine.score(encoded.token_ids, encoded.offsets), expected, atol=1e-6)


def test_auto_takes_the_packed_engine_where_there_is_one(tiny_bundle: StoredBundle) -> None:
    assert tiny_bundle.engine_name("auto") == "packed"
    assert tiny_bundle.engine_name("keras") == "keras"
    with pytest.raises(BundleError, match="not 'fast'"):
        tiny_bundle.engine_name("fast")


def test_the_manifest_says_all_that_decides_a_score(tiny_bundle: StoredBundle, encoder: Encoder) -> None:
    manifest = bundle_fields(tiny_bundle.path)
    assert manifest["outputs"] == ["taste", "service"]
    assert manifest["training"] == {"seed": 0}
    assert (manifest["oov"], manifest["oov_id"], manifest["num_words"]) == ("token", 1, len(encoder.vocabulary))
    assert (manifest["max_sequence_length"], manifest["truncating"]) == (400, "pre")
    assert manifest["tokenizer"].keys() == {
        "normalization", "dictionary", "user_dictionary", "lower", "filters", "version", "split", "mecab_options",
        "dictionary_version", "files", "token_form", "keep_pos", "stop_words", "prefix_token", "suffix_token",
    }  # fmt: skip
    assert manifest["tokenizer"]["files"].keys() >= {"sys.dic", "matrix.bin", "char.bin", "unk.dic"}
    assert manifest["invariance"]["passed"] is True
    assert manifest["packed"]["covered"] is True
    assert manifest["libraries"].keys() >= {"python", "unicode", "keras", "numpy", "mecab-python3", "numba"}
    assert manifest["files"].keys() == {
        "model.keras", "vocabulary.json", "packed.npz", "golden.jsonl", "reference.json",
    }  # fmt: skip


def test_golden_records_are_many_short_long_and_odd(tiny_bundle: StoredBundle) -> None:
    records = tiny_bundle.golden()
    lengths = [len(record.tokens) for record in records]
    assert len(records) >= N_GOLDEN
    assert min(lengths) == 1
    assert max(lengths) > 1000
    assert any(len(record.token_ids) < len(record.tokens) for record in records), "one must be truncated"
    assert any(1 in record.token_ids for record in records), "one must hold OOV"
    assert set(SENTENCES) <= {record.text for record in records}


def test_golden_texts_stay_below_what_a_bundle_may_have() -> None:
    vocabulary = Vocabulary([PAD_WORD, OOV_WORD, *(f"{i}" * 9_000 for i in range(100, 200))], OOV_ID)
    texts = choose_golden_texts([f"{i:05}" * 4_000 for i in range(100)], vocabulary)
    assert max(map(len, texts)) <= 20_000
    assert sum(map(len, texts)) < 2_000_000
    assert len(texts) < 1_000


def test_the_packed_engine_needs_no_tensorflow(tiny_bundle: StoredBundle) -> None:
    """Importing TensorFlow costs a worker 3 to 6 seconds and 400 MB."""
    program = (
        "import pathlib, sys\n"
        "from saiten.model.bundle.bundle import read_bundle\n"
        "from saiten.model.bundle.replay import replay_ids, replay_scores\n"
        "bundle = read_bundle(pathlib.Path(sys.argv[1]))\n"
        "replay_ids(bundle, bundle.encoder())\n"
        "replay_scores(bundle, bundle.engine(), 8)\n"
        "print([name for name in ('tensorflow', 'keras', 'gensim', 'apache_beam') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", program, str(tiny_bundle.path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_missing_tensorflow_is_one_sentence(tiny_bundle: StoredBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "saiten.model.engines.keras_engine")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(UsageError, match=r"TensorFlow is not installed: run pip install '\.\[keras\]' in Saiten's"):
        tiny_bundle.engine("keras")


@pytest.mark.thorough
def test_a_model_that_is_not_covered_keeps_the_keras_engine(tmp_path: pathlib.Path, encoder: Encoder) -> None:
    model = build_model(
        layers.LSTM(4), layers.Dense(2, activation="sparsemax"), vocabulary_size=len(encoder.vocabulary)
    )
    bundle = write(tmp_path / "b", encoder, model)
    assert not (tmp_path / "b" / "packed.npz").exists()
    assert bundle.engine_name() == "keras"
    with pytest.raises(BundleError, match=r"has no packed engine: Layer .* has the activation 'sparsemax'"):
        bundle.engine_name("packed")
    assert replay_scores(bundle, bundle.engine()) <= 1e-6
    assert [finding.what for finding in validate_bundle(bundle)][-1] == "packed engine"


def test_metrics_may_have_holes(odd_bundle: StoredBundle) -> None:
    """A label that never changes has no correlation; hours of training must not end in a JSON error."""
    assert odd_bundle.manifest.training == {"spearman": [None, 0.5], "loss": None}
    assert json.loads((odd_bundle.path / "reference.json").read_text(encoding="utf-8")) == {"mean": None}
    assert without_holes({1: (1.5, "a")}) == {"1": [1.5, "a"]}


# --- what is not written ---


@pytest.mark.parametrize("outputs", [["a"], ["a", "b", "c"], ["a", "a"], ["a", ""]])
def test_outputs_must_fit_the_model(
    outputs: list[str], tmp_path: pathlib.Path, encoder: Encoder, tiny_model: Any
) -> None:
    with pytest.raises(BundleError, match=r"\boutputs? "):
        write(tmp_path / "b", encoder, tiny_model, outputs=outputs)
    assert list(tmp_path.iterdir()) == []


def test_heads_are_not_taken_for_each_other(tmp_path: pathlib.Path, encoder: Encoder) -> None:
    ids = keras.Input((None,), dtype="int32")
    state = layers.LSTM(4)(layers.Embedding(len(encoder.vocabulary), 4, mask_zero=True)(ids))
    model = keras.Model(ids, {name: layers.Dense(1, name=name)(state) for name in ("service", "taste")})
    with pytest.raises(BundleError, match=r"^The model gives service, taste in this order: give --outputs so"):
        write(tmp_path / "b", encoder, model, outputs=["taste", "service"])
    assert write(tmp_path / "b", encoder, model, outputs=["service", "taste"]).outputs == ["service", "taste"]


def test_a_used_path_is_refused(tmp_path: pathlib.Path, encoder: Encoder, tiny_model: Any) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(BundleError, match="exists and is not empty"):
        write(tmp_path, encoder, tiny_model)
    with pytest.raises(BundleError, match="exists and is not empty"):
        write(tmp_path / "thesis.tex", encoder, tiny_model)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_empty_folder_may_become_the_bundle(odd_bundle: StoredBundle) -> None:
    assert read_bundle(odd_bundle.path).outputs == ["a", "b"]


def test_a_vocabulary_beyond_the_embedding_is_refused(tmp_path: pathlib.Path, encoder: Encoder) -> None:
    model = build_model(layers.LSTM(8), layers.Dense(2), vocabulary_size=len(encoder.vocabulary) - 1)
    with pytest.raises(BundleError, match="the model's Embedding takes ids below"):
        write(tmp_path / "b", encoder, model)


def test_a_model_without_mask_is_refused(tmp_path: pathlib.Path, encoder: Encoder) -> None:
    model = build_model(layers.LSTM(8), layers.Dense(2), vocabulary_size=len(encoder.vocabulary), mask_zero=False)
    with pytest.raises(BundleError, match=r"words \(Embedding\) makes no mask"):
        write(tmp_path / "b", encoder, model)


def test_a_failure_on_the_way_leaves_nothing(
    tmp_path: pathlib.Path, encoder: Encoder, tiny_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("saiten.model.bundle.bundle_manifest.bundle_id_of", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "b", encoder, tiny_model)
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_durable_when_it_appears(
    tmp_path: pathlib.Path, encoder: Encoder, tiny_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut a name may lead to nothing, unless files, names and the rename were synced in this order."""
    synced: list[tuple[int, bool]] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, (tmp_path / "b").exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    path = write(tmp_path / "b", encoder, tiny_model).path
    *before, (last, is_renamed) = synced
    assert {(file.stat().st_ino, False) for file in path.iterdir()} | {(path.stat().st_ino, False)} == set(before)
    assert before[-1][0] == path.stat().st_ino
    assert (last, is_renamed) == (tmp_path.stat().st_ino, True)
