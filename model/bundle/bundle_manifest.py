"""`manifest.json` of a bundle: what it says, read once into `BundleManifest`, and judged before anything else is."""

import dataclasses
import hashlib
import json
import math
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from saiten.model.bundle.bundle_files import BUNDLE_MANIFEST, BundleFile, check_files, check_names, read_manifest_json
from saiten.model.bundle.golden import GOLDEN_TOLERANCE, MOST_GOLDEN_TOLERANCE
from saiten.model.bundle.invariance import InvarianceProof
from saiten.model.errors import BundleError
from saiten.model.outputs import refuse_output_names
from saiten.model.task import TASKS, Task
from saiten.model.text.tokenizer import TokenizerConfig

FORMAT_VERSION = 2

Field = TypeVar("Field")


@dataclass(frozen=True)
class EncoderSettings:
    """How a bundle's texts become ids.

    Attributes:
        tokenizer: The rule and the dictionary.
        dictionary_version: Of the dictionary's package, ``""`` for a plain directory.
        dictionary_files: sha256 of every file that decides how a text is segmented, by name.
        oov_id: The id of words outside the vocabulary, None where they are dropped.
        num_words: The vocabulary's size, padding and OOV included.
        max_sequence_length: Longer sequences are truncated.
        truncating: ``pre`` or ``post``.
    """

    tokenizer: TokenizerConfig
    dictionary_version: str
    dictionary_files: Mapping[str, str]
    oov_id: int | None
    num_words: int
    max_sequence_length: int
    truncating: str

    @property
    def oov(self) -> str:
        """``token`` or ``drop``."""
        return "drop" if self.oov_id is None else "token"


@dataclass(frozen=True)
class BundleManifest:
    """What `manifest.json` says; `manifest_json` and `read_bundle_manifest` are each other's inverse.

    Attributes:
        outputs: Names of the scores, in the model's order.
        task: What the scores are.
        encoder: How texts become ids.
        invariance: The proof that the model does not read its padding.
        packed: JSON-able: the packed engine's proof, or why the model is not covered.
        network: The model's layers, as people read them.
        training: JSON-able: data, settings, metrics, seeds.
        libraries: Versions by name.
        files: Size and hash of every other file, by name.
        golden_tolerance: What golden scores may differ by, scaled, on other machines.
        bundle_id: sha256 over all of the above; ``""`` before it is known.
    """

    outputs: tuple[str, ...]
    encoder: EncoderSettings
    invariance: InvarianceProof
    packed: Mapping[str, Any]
    network: tuple[str, ...]
    training: Mapping[str, Any]
    libraries: Mapping[str, str]
    files: Mapping[str, BundleFile]
    task: Task = "numbers"
    golden_tolerance: float = GOLDEN_TOLERANCE
    bundle_id: str = ""


def manifest_json(manifest: BundleManifest) -> dict[str, Any]:
    """Returns the manifest as its file holds it, with the bundle's id."""
    encoder = manifest.encoder
    fields = without_holes(
        {
            "format_version": FORMAT_VERSION,
            "outputs": manifest.outputs,
            "task": manifest.task,
            "tokenizer": {
                **encoder.tokenizer.to_dict(),
                "mecab_options": "-Owakati",
                "dictionary_version": encoder.dictionary_version,
                "files": encoder.dictionary_files,
            },
            "oov": encoder.oov,
            "oov_id": encoder.oov_id,
            "num_words": encoder.num_words,
            "max_sequence_length": encoder.max_sequence_length,
            "truncating": encoder.truncating,
            "invariance": dataclasses.asdict(manifest.invariance),
            "packed": manifest.packed,
            "golden_tolerance": manifest.golden_tolerance,
            "network": manifest.network,
            "training": manifest.training,
            "libraries": manifest.libraries,
            "files": {name: dataclasses.asdict(file) for name, file in manifest.files.items()},
        }
    )
    return {**fields, "bundle_id": bundle_id_of(fields)}


def bundle_id_of(fields: Mapping[str, Any]) -> str:
    """Returns the sha256 over the files' hashes and all settings, so over the whole manifest but the id."""
    rest = {key: value for key, value in fields.items() if key != "bundle_id"}
    canonical = json.dumps(rest, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def read_bundle_manifest(folder: pathlib.Path) -> BundleManifest:
    """Reads the manifest and checks every file of the bundle by it, before anything else is parsed.

    Raises:
        BundleError: What differs, by the name of the file or the field.
        UsageError: The tokenizer is of another version.
    """
    path = folder / BUNDLE_MANIFEST
    fields = read_manifest_json(folder)
    version = _field(fields, "format_version", int)
    if version != FORMAT_VERSION:
        raise BundleError(
            f"{path}: format_version {version} is not {FORMAT_VERSION}, the one this saiten reads; "
            "use the saiten that made the bundle, or make it anew."
        )
    check_names(folder, _field(fields, "files", dict))
    files = {name: _file(fields, name) for name in _field(fields, "files", dict)}
    check_files(folder, files)
    bundle_id = _field(fields, "bundle_id", str)
    if bundle_id != bundle_id_of(fields):
        raise BundleError(
            f"{path}: bundle_id is not that of its settings; the manifest was changed: make the bundle anew."
        )
    outputs = _field(fields, "outputs", list)
    refuse_output_names(outputs)
    packed, training, libraries = (_mapping(fields.get(name)) for name in ("packed", "training", "libraries"))
    return BundleManifest(
        tuple(outputs),
        _encoder_settings(fields),
        InvarianceProof.of(fields.get("invariance")),
        packed,
        tuple(map(str, _field(fields, "network", list))),
        training,
        libraries,
        files,
        _task(fields),
        _golden_tolerance(fields),
        bundle_id,
    )


def without_holes(content: Any) -> Any:
    """Returns JSON-able content with null for NaN and infinities, which JSON does not have.

    A metric may well be one: the Spearman correlation of a constant is NaN.
    """
    if isinstance(content, Mapping):
        return {str(key): without_holes(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [without_holes(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def _encoder_settings(fields: Mapping[str, Any]) -> EncoderSettings:
    tokenizer = _field(fields, "tokenizer", dict)
    settings = {
        setting.name: _tokenizer_field(tokenizer, setting.name, setting.default)
        for setting in dataclasses.fields(TokenizerConfig)
    }
    _field(fields, "oov", str)
    return EncoderSettings(
        tokenizer=TokenizerConfig(**settings),
        dictionary_version=_field(tokenizer, "dictionary_version", str, "tokenizer."),
        dictionary_files=_field(tokenizer, "files", dict, "tokenizer."),
        oov_id=None if fields.get("oov_id") is None else _field(fields, "oov_id", int),
        num_words=_field(fields, "num_words", int),
        max_sequence_length=_field(fields, "max_sequence_length", int),
        truncating=_field(fields, "truncating", str),
    )


def _task(fields: Mapping[str, Any]) -> Task:
    task = fields.get("task", "numbers")  # bundles made before there were others do not say
    if task not in TASKS:
        raise BundleError(
            f"The manifest's task is {', '.join(TASKS[:-1])} or {TASKS[-1]}, not {task!r:.60}; make the bundle anew."
        )
    return cast("Task", task)


def _golden_tolerance(fields: Mapping[str, Any]) -> float:
    allowed = fields.get("golden_tolerance", GOLDEN_TOLERANCE)  # bundles made before it was each model's own
    if not isinstance(allowed, float) or not GOLDEN_TOLERANCE <= allowed <= MOST_GOLDEN_TOLERANCE:
        raise BundleError(
            f"The manifest's golden_tolerance is no number from 1e-05 to 0.01: {allowed!r:.60}; make the bundle anew."
        )
    return allowed


def _tokenizer_field(tokenizer: Mapping[str, Any], name: str, default: Any) -> Any:
    """Returns a field of the type that its default has; one whose default is None is a string or null."""
    if isinstance(default, tuple):
        values = _field(tokenizer, name, list, "tokenizer.")
        if not all(isinstance(value, str) for value in values):
            raise BundleError(f"The manifest's tokenizer.{name} holds what is no string; make the bundle anew.")
        return tuple(values)
    if default is None:
        return None if tokenizer.get(name) is None else _field(tokenizer, name, str, "tokenizer.")
    return _field(tokenizer, name, type(default), "tokenizer.")


def _field(fields: Mapping[str, Any], name: str, kind: type[Field], within: str = "") -> Field:
    value = fields.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BundleError(f"The manifest's {within}{name} is missing or of the wrong type; make the bundle anew.")
    return value


def _file(fields: Mapping[str, Any], name: str) -> BundleFile:
    file = _field(fields["files"], name, dict, "files.")
    within = f"files.{name}."
    return BundleFile(_field(file, "bytes", int, within), _field(file, "sha256", str, within))


def _mapping(value: object) -> Mapping[str, Any]:
    """Returns what is only shown, as far as it is an object: nothing depends on it."""
    return value if isinstance(value, dict) else {}
