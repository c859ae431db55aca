"""The bundle: a directory with a model, its tokenizer, and the proof that both do what they should."""

import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model.encoder_settings import (
    check_dictionary_files,
    check_dictionary_version,
    describe_encoder,
    tokenizer_config,
)
from model.engine import Engine
from model.errors import BundleError, UsageError
from model.golden import GoldenRecord, choose_golden_texts, load_golden, make_golden, save_golden
from model.keras_file import check_keras_file
from model.layers import refuse_misfit, steps_of
from model.manifest import FORMAT_VERSION, MANIFEST, bundle_id_of, describe_files, get, read_manifest, without_holes
from model.mask import refuse_lost_mask
from model.proof import check_proof, prove_invariance, random_texts
from model.sequences import Encoder
from model.tokenizer import Tokenizer
from model.vocabulary import Vocabulary

if TYPE_CHECKING:
    import keras

    from model.keras_engine import KerasEngine
    from model.packed import PackedEngine

_LIBRARIES = ("keras", "tensorflow", "tensorflow-cpu", "numpy", "mecab-python3", "gensim", "numba", "pyarrow")


_NO_TENSORFLOW = "The keras engine needs TensorFlow: pip install 'saiten[keras]'."


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files are those that its manifest names.

    Attributes:
        path: The directory.
        manifest: What `manifest.json` says.
        trusted: Layer classes that Saiten does not build are let through.
    """

    path: pathlib.Path
    manifest: Mapping[str, Any]
    trusted: bool = False

    @property
    def bundle_id(self) -> str:
        """The sha256 that names the bundle."""
        return get(self.manifest, "bundle_id", str)

    @property
    def outputs(self) -> list[str]:
        """Names of the scores, in the model's order."""
        return list(get(self.manifest, "outputs", list))

    @property
    def has_packed(self) -> bool:
        """Whether the packed engine covers the model."""
        return "packed.npz" in get(self.manifest, "files", dict)

    def encoder(self) -> Encoder:
        """Makes the encoder, with a Tagger of its own.

        Raises:
            BundleError: The dictionary is missing or of another version, or the vocabulary is damaged.
        """
        config = tokenizer_config(self.manifest)
        if config.user_dictionary and pathlib.Path(config.user_dictionary).resolve().parent == self.path.resolve():
            # MeCab maps a dictionary into memory and checks nothing in it: a stranger's file is no dictionary.
            raise BundleError(f"{self.path}: tokenizer.user_dictionary is a file of the bundle itself.")
        check_dictionary_version(self.manifest)
        oov_id = None if self.manifest.get("oov_id") is None else get(self.manifest, "oov_id", int)
        vocabulary = Vocabulary.load(self.path / "vocabulary.json", oov_id)
        if len(vocabulary) != get(self.manifest, "num_words", int):
            raise BundleError(f"{self.path}: num_words is not the vocabulary's size, {len(vocabulary)}.")
        return Encoder(
            Tokenizer(config),
            vocabulary,
            get(self.manifest, "max_sequence_length", int),
            get(self.manifest, "truncating", str),
        )

    def engine(self, name: str = "auto", *, threads: int = 0) -> Engine:
        """Loads an engine.

        Args:
            name: ``packed``, ``keras``, or ``auto`` for packed where the bundle has it.
            threads: Threads TensorFlow may use in this process; 0 leaves it to TensorFlow.

        Raises:
            BundleError: The bundle has no such engine, or its files hold what must not be there.
            UsageError: The keras engine is asked for and TensorFlow is not installed.
        """
        name = self.engine_name(name)
        if name == "packed":
            from model.packed_file import load_packed

            engine: PackedEngine | KerasEngine = load_packed(self.path / "packed.npz")
        else:
            try:
                from model.keras_engine import load_keras_engine
            except ImportError as error:
                raise UsageError(_NO_TENSORFLOW) from error

            engine = load_keras_engine(self.path / "model.keras", trust=self.trusted, threads=threads)
        self._check_fit(engine.n_outputs, engine.vocabulary_size)
        return engine

    def _check_fit(self, n_outputs: int, vocabulary_size: int) -> None:
        num_words = get(self.manifest, "num_words", int)
        if n_outputs != len(self.outputs):
            raise BundleError(f"{self.path}: the model has {n_outputs} outputs, but outputs names {len(self.outputs)}.")
        if vocabulary_size < num_words:
            raise BundleError(
                f"{self.path}: the model takes ids below {vocabulary_size}, but num_words is {num_words}."
            )

    def engine_name(self, name: str = "auto") -> str:
        """Returns ``packed`` or ``keras``: what `engine` would load, without loading it.

        Raises:
            BundleError: The bundle has no such engine.
        """
        if name not in ("auto", "packed", "keras"):
            raise BundleError(f"The engine is auto, packed or keras, not {name!r}.")
        if name == "packed" and not self.has_packed:
            raise BundleError(f"{self.path} has no packed engine: {self.why_not_packed} Use --engine=keras.")
        return "packed" if name != "keras" and self.has_packed else "keras"

    def check_engine(self, name: str) -> None:
        """Judges the file that `engine` would load, without loading it.

        Raises:
            BundleError: It holds what must not be there.
            UsageError: The keras engine is asked for and TensorFlow is not installed.
        """
        if self.engine_name(name) == "keras":
            try:
                check_keras_file(self.path / "model.keras", trust=self.trusted)
            except ImportError as error:
                raise UsageError(_NO_TENSORFLOW) from error

    @property
    def why_not_packed(self) -> str:
        """Why the packed engine does not cover the model; ``""`` where it does."""
        return str(dict(self.manifest.get("packed") or {}).get("reason", ""))

    def golden(self) -> list[GoldenRecord]:
        """Reads the golden records."""
        return load_golden(self.path / "golden.jsonl", len(self.outputs))

    def reference(self) -> dict[str, Any]:
        """Reads the distributions on the training data; ``{}`` where none were known."""
        path = self.path / "reference.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise BundleError(f"{path} is no JSON object; make the bundle anew.")
        return content


def read_bundle(path: pathlib.Path, *, trust: bool = False) -> Bundle:
    """Reads a bundle's manifest and checks all files by it; loads no model.

    Args:
        path: The directory.
        trust: Let through layer classes that Saiten does not build.

    Raises:
        BundleError: A file, a hash, a version or the proof of invariance is not as it must be.
    """
    manifest = read_manifest(path)
    check_proof(manifest.get("invariance"))
    tokenizer_config(manifest)
    outputs = get(manifest, "outputs", list)
    if not outputs or not all(isinstance(name, str) and name for name in outputs) or len(set(outputs)) < len(outputs):
        raise BundleError(f"{path}: outputs must be different names, not {outputs!r}.")
    return Bundle(path, manifest, trust)


def check_dictionary(bundle: Bundle) -> None:
    """Compares every file of the dictionary with the manifest: 0.5 s, so the launcher does it.

    Raises:
        BundleError: The dictionary is missing, of another version, or a file differs.
    """
    check_dictionary_files(bundle.manifest)


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
) -> Bundle:
    """Proves that the model does not read its padding, and writes it with its encoder as a bundle.

    The bundle appears whole or not at all: it is written beside `path` and renamed.

    Args:
        path: A directory that does not exist, or is empty.
        model: A Sequential or Functional model, from int32 [n, sequence_length] to float32 [n, outputs].
        encoder: Makes the model's ids.
        outputs: A name for each of the model's outputs.
        golden_texts: Texts to choose the golden records from; few or none will do.
        training: JSON-able: data, settings, metrics, seeds.
        reference: JSON-able: distributions on the training data, ``{}`` where they are not known.

    Raises:
        BundleError: The path is in use, the model does not fit encoder or outputs, loses its mask or fails the proof.
    """
    refuse_used(path)
    engine, proof = _prove(model, len(encoder.vocabulary), outputs)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        golden = make_golden(encoder, engine, choose_golden_texts(golden_texts, encoder.vocabulary))
        save_golden(folder / "golden.jsonl", golden)
        model.save(folder / "model.keras")
        encoder.vocabulary.save(folder / "vocabulary.json")
        _write_json(folder / "reference.json", reference)
        settings = {
            "format_version": FORMAT_VERSION,
            "outputs": list(outputs),
            **describe_encoder(encoder),
            "invariance": proof,
            "packed": _write_packed(folder, engine, golden),
            "network": [str(step) for step in steps_of(model)],
            "training": training,
            "libraries": _library_versions(),
        }
        _write_manifest(folder, settings)
        folder.rename(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return read_bundle(path, trust=True)


def _prove(model: "keras.Model", vocabulary_size: int, outputs: Sequence[str]) -> tuple["KerasEngine", dict[str, Any]]:
    from model.keras_engine import KerasEngine

    refuse_misfit(model, vocabulary_size, outputs)
    refuse_lost_mask(model)
    engine = KerasEngine(model)
    return engine, prove_invariance(engine.score_matrix, *random_texts(engine.vocabulary_size))


def _write_packed(folder: pathlib.Path, engine: "KerasEngine", golden: Sequence[GoldenRecord]) -> dict[str, Any]:
    """Writes `packed.npz` where the engine covers the model and gives its scores; returns what the manifest says."""
    from model.packed_file import load_packed, save_packed
    from model.packed_proof import prove_packed
    from model.packing import NotCoveredError, pack_model

    try:
        save_packed(folder / "packed.npz", pack_model(engine.model))
        return prove_packed(load_packed(folder / "packed.npz"), engine, golden)
    except NotCoveredError as error:
        (folder / "packed.npz").unlink(missing_ok=True)
        return {"covered": False, "reason": str(error)}


def _write_manifest(folder: pathlib.Path, settings: Mapping[str, Any]) -> None:
    manifest = without_holes({**settings, "files": describe_files(folder)})
    _write_json(folder / MANIFEST, {**manifest, "bundle_id": bundle_id_of(manifest)})
    for file in folder.iterdir():
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
    folder.chmod(0o755)  # mkdtemp gives 0o700; another user's worker has to read it


def _write_json(path: pathlib.Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(without_holes(content), ensure_ascii=False, allow_nan=False, indent=1) + "\n", "utf-8")


def _library_versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "unicode": unicodedata.unidata_version}
    for name in _LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # tensorflow-cpu is tensorflow by another name
            continue
    return versions
