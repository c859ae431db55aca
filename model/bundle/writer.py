"""Writes a bundle: proves the model, packs it, and puts everything in a directory of its own."""

import json
import pathlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.model.bundle.bundle_files import BUNDLE_MANIFEST, TRAINING_PAGE, describe_files
from saiten.model.bundle.bundle_manifest import BundleManifest, manifest_json, without_holes
from saiten.model.bundle.encoder_settings import describe_encoder
from saiten.model.bundle.expected import (
    ExpectedScores,
    check_expected,
    expected_tolerance,
)
from saiten.model.bundle.golden import (
    GOLDEN_TOLERANCE,
    GoldenRecord,
    choose_golden_texts,
    ids_of,
    make_golden,
    rounding_tolerance,
    save_golden,
    scores_of,
)
from saiten.model.bundle.invariance import InvarianceProof, prove_invariance, random_texts
from saiten.model.durable import sync
from saiten.model.errors import BundleError
from saiten.model.keras_models.blame import say_what_is_to_blame
from saiten.model.keras_models.graph import graph_of
from saiten.model.keras_models.judge import refuse_unserved
from saiten.model.keras_models.layers import refuse_misfit
from saiten.model.task import Task
from saiten.model.text.encoder import Encoder
from saiten.model.text.ragged import FloatArray
from saiten.model.text.witness import prove_segmenter
from saiten.model.versions import library_versions

if TYPE_CHECKING:
    import keras

    from saiten.model.engines.keras_engine import KerasEngine

_LIBRARIES = ("keras", "tensorflow", "numpy", "mecab-python3", "gensim", "numba", "pyarrow")


def refuse_used(path: pathlib.Path) -> None:
    """Refuses a path for a new bundle that is in use or cannot be written; `train` asks before it works."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise BundleError(f"{path} exists and is not empty; give a new directory for the bundle.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent).cleanup()
    except OSError as error:
        raise BundleError(f"{path} cannot be written: {error.strerror}; give another directory.") from error


def write_bundle(
    path: pathlib.Path,
    *,
    model: "keras.Model",
    encoder: Encoder,
    outputs: Sequence[str],
    golden_texts: Sequence[str],
    training: Mapping[str, Any],
    reference: Mapping[str, Any],
    task: Task = "numbers",
    expected: ExpectedScores | None = None,
    training_page: bytes | None = None,
) -> StoredBundle:
    """Proves that the model does not read its padding, and writes it with its encoder as a bundle.

    The bundle appears whole or not at all, also after a power cut: it is written beside `path`, synced and renamed.

    Args:
        path: A directory that does not exist, or is empty.
        model: A Sequential or Functional model, from int32 [n, sequence_length] to float32 [n, outputs].
        encoder: Makes the model's ids.
        outputs: A name for each of the model's outputs.
        golden_texts: Texts to choose the golden records from; few or none will do.
        training: JSON-able: data, settings, metrics, seeds.
        reference: JSON-able: distributions on the training data, ``{}`` where they are not known.
        task: What the outputs are.
        expected: Texts with the scores that the model must give, None where none are known.
        training_page: The training as a person reads it, HTML; None where there is none.

    Raises:
        BundleError: The path is in use, the model does not fit encoder or outputs, loses its mask or fails the proof.
    """
    refuse_used(path)
    engine, proof = _prove(model, len(encoder.vocabulary), outputs, encoder.max_sequence_length)
    if expected is not None:
        _compare(expected, encoder, engine, model)
    with _appearing(path) as folder:
        golden = make_golden(encoder, engine, choose_golden_texts(golden_texts, encoder.vocabulary))
        prove_segmenter(encoder.tokenizer, [record.text for record in golden])
        save_golden(folder / "golden.jsonl", golden)
        engine.model.save(folder / "model.keras")
        encoder.vocabulary.save(folder / "vocabulary.json")
        _write_json(folder / "reference.json", reference)
        if training_page is not None:
            (folder / TRAINING_PAGE).write_bytes(training_page)
        scores = _golden_scores(engine, golden)
        packed = _write_packed(folder, engine, golden, scores, encoder.max_sequence_length)
        manifest = BundleManifest(
            outputs=tuple(outputs),
            task=task,
            encoder=describe_encoder(encoder),
            invariance=proof,
            packed=packed,
            network=tuple(str(call) for call in graph_of(model).calls if call.is_layer),
            training=training,
            libraries=library_versions(_LIBRARIES),
            files=describe_files(folder),
            golden_tolerance=rounding_tolerance(*scores) if scores else GOLDEN_TOLERANCE,
        )
        _write_json(folder / BUNDLE_MANIFEST, manifest_json(manifest))
    return read_bundle(path, trust=True)


@contextmanager
def _appearing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder beside `path` that takes its place when the block ends, durable, and goes where the block fails."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        yield folder
        _make_durable(folder)
        folder.rename(path)
        sync(path.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prove(
    model: "keras.Model", vocabulary_size: int, outputs: Sequence[str], max_sequence_length: int
) -> tuple["KerasEngine", InvarianceProof]:
    from saiten.model.engines.keras_engine import KerasEngine
    from saiten.model.engines.precision import in_single_precision
    from saiten.model.keras_models.drawn_weights import refuse_reading

    refuse_unserved(graph_of(model))
    model = in_single_precision(model)
    refuse_misfit(model, vocabulary_size, outputs)
    refuse_reading(model)
    engine = KerasEngine(model)
    texts = random_texts(engine.vocabulary_size, longest=max_sequence_length)
    blame = partial(say_what_is_to_blame, model)
    return engine, prove_invariance(engine.score_matrix, *texts, blame, lambda: engine.exact().score_matrix)


def _compare(expected: ExpectedScores, encoder: Encoder, engine: "KerasEngine", model: "keras.Model") -> None:
    """Compares with scores that the model as it was brought gave."""
    from saiten.model.engines.precision import half_precision_of

    tolerance = expected_tolerance(half_precision_of(model))
    check_expected(expected, encoder, engine, lambda: _exact_or_none(engine), tolerance)


def _golden_scores(engine: "KerasEngine", golden: Sequence[GoldenRecord]) -> tuple[FloatArray, FloatArray] | None:
    """Returns the scores of golden records that have ids, in single and double precision; None where there are none."""
    known, exact = [record for record in golden if record.token_ids], _exact_or_none(engine)
    return (scores_of(known), exact.score(*ids_of(known))) if known and exact else None


def _exact_or_none(engine: "KerasEngine") -> "KerasEngine | None":
    """Returns the engine in double precision; None where layers of others do not compute so."""
    try:
        exact = engine.exact()
        exact.score_matrix(np.ones((1, 1), np.int32))
    except Exception:  # noqa: BLE001 - a stranger's layer may raise anything
        return None
    return exact


def _write_packed(
    folder: pathlib.Path,
    engine: "KerasEngine",
    golden: Sequence[GoldenRecord],
    golden_scores: tuple[FloatArray, FloatArray] | None,
    max_sequence_length: int,
) -> dict[str, Any]:
    """Writes `packed.npz` where the engine covers the model and gives its scores; returns what the manifest says."""
    from saiten.model.bundle.packed_proof import prove_packed
    from saiten.model.engines.packed.packed_file import load_packed, save_packed
    from saiten.model.engines.packing.pack_model import pack_model
    from saiten.model.engines.packing.packer import NotCoveredError

    try:
        save_packed(folder / "packed.npz", pack_model(engine.model))
        packed = load_packed(folder / "packed.npz")
        return prove_packed(packed, engine, golden, max_sequence_length, golden_scores=golden_scores)
    except NotCoveredError as error:
        (folder / "packed.npz").unlink(missing_ok=True)
        return {"covered": False, "reason": str(error)}


def _make_durable(folder: pathlib.Path) -> None:
    folder.chmod(0o755)  # mkdtemp gives 0o700; another user's worker has to read it
    for path in (*folder.iterdir(), folder):
        sync(path)


def _write_json(path: pathlib.Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(without_holes(content), ensure_ascii=False, allow_nan=False, indent=1) + "\n", "utf-8")
