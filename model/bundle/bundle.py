"""The bundle: a directory with a model, its tokenizer, and the proof that both do what they should.

`saiten.model.bundle.writer` writes it.
"""

import pathlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from saiten.model.bundle.bundle_manifest import BundleManifest, read_bundle_manifest
from saiten.model.bundle.encoder_settings import check_dictionary_files, refuse_foreign_dictionaries
from saiten.model.bundle.golden import GoldenRecord, load_golden
from saiten.model.bundle.reference import Reference, read_reference
from saiten.model.counted import counted
from saiten.model.engines.engine import Engine
from saiten.model.errors import BundleError, missing_library
from saiten.model.keras_models.saved_model import check_keras_file
from saiten.model.text.encoder import Encoder
from saiten.model.text.tokenizer import Tokenizer
from saiten.model.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from saiten.model.engines.keras_engine import KerasEngine
    from saiten.model.engines.packed.program import PackedEngine


@dataclass(frozen=True)
class StoredBundle:
    """A bundle as it is stored, whose files are those that its manifest names; nothing of it is loaded.

    Attributes:
        path: The directory.
        manifest: What `manifest.json` says.
        trusted: Layer classes that Saiten does not build are let through.
    """

    path: pathlib.Path
    manifest: BundleManifest
    trusted: bool = False

    @property
    def bundle_id(self) -> str:
        """The sha256 that names the bundle."""
        return self.manifest.bundle_id

    @property
    def outputs(self) -> list[str]:
        """Names of the scores, in the model's order."""
        return list(self.manifest.outputs)

    @property
    def has_packed(self) -> bool:
        """Whether the packed engine covers the model."""
        return "packed.npz" in self.manifest.files

    def encoder(self, segmenter: str = "auto") -> Encoder:
        """Makes the encoder, with a Tagger of its own, of the dictionary that the bundle was made with.

        Args:
            segmenter: Who finds the words; see `Tokenizer`.

        Raises:
            BundleError: A file of the dictionary differs, or the vocabulary is damaged.
            UsageError: The dictionary is not installed, or the segmenter does not cover it.
        """
        self.check_dictionary()
        settings = self.manifest.encoder
        vocabulary = Vocabulary.load(self.path / "vocabulary.json", settings.oov_id)
        if len(vocabulary) != settings.num_words:
            raise BundleError(f"{self.path}: num_words is not the vocabulary's size, {len(vocabulary)}.")
        tokenizer = Tokenizer(settings.tokenizer, segmenter)
        return Encoder(tokenizer, vocabulary, settings.max_sequence_length, settings.truncating)

    def check_dictionary(self) -> None:
        """Compares every file of the dictionary with the manifest: 0.2 to 0.7 s, once a process.

        Raises:
            BundleError: The dictionary is of another version, or a file differs.
            UsageError: The dictionary is not installed.
        """
        check_dictionary_files(self.manifest.encoder)

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
            from saiten.model.engines.packed.packed_file import load_packed

            engine: PackedEngine | KerasEngine = load_packed(self.path / "packed.npz")
        else:
            try:
                from saiten.model.engines.keras_engine import load_keras_engine
            except ImportError as error:
                raise missing_library("TensorFlow", "keras") from error

            engine = load_keras_engine(self.path / "model.keras", trust=self.trusted, threads=threads)
        self._check_fit(engine.n_outputs, engine.vocabulary_size)
        return engine

    def _check_fit(self, n_outputs: int, vocabulary_size: int) -> None:
        num_words = self.manifest.encoder.num_words
        if n_outputs != len(self.outputs):
            raise BundleError(
                f"{self.path}: the model gives {counted(n_outputs, 'score')} a text, but its manifest names "
                f"{counted(len(self.outputs), 'output')}; make the bundle anew."
            )
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
                raise missing_library("TensorFlow", "keras") from error

    @property
    def engines(self) -> str:
        """Which engines the bundle has, and why not both, in a few words."""
        return "packed and keras engines" if self.has_packed else f"keras engine only: {self.why_not_packed}"

    @property
    def why_not_packed(self) -> str:
        """Why the packed engine does not cover the model; ``""`` where it does."""
        return str(self.manifest.packed.get("reason", ""))

    def golden(self) -> list[GoldenRecord]:
        """Reads the golden records."""
        return load_golden(self.path / "golden.jsonl", len(self.outputs))

    def reference(self) -> Reference | None:
        """Reads the distributions on the training data; None where none were known.

        Raises:
            BundleError: The file is not as it must be.
        """
        return read_reference(self.path / "reference.json")


def read_bundle(path: pathlib.Path, *, trust: bool = False) -> StoredBundle:
    """Reads a bundle's manifest and checks all files by it; loads no model.

    Args:
        path: The directory.
        trust: Let through layer classes that Saiten does not build.

    Raises:
        BundleError: A file, a hash, a version or the proof of invariance is not as it must be.
    """
    manifest = read_bundle_manifest(path)
    refuse_foreign_dictionaries(manifest.encoder, path)
    return StoredBundle(path, manifest, trust)
