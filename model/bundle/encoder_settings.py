"""What a bundle's manifest says about its encoder: tokenizer, dictionary, vocabulary, truncation."""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

from saiten.model.bundle.bundle_manifest import get
from saiten.model.errors import BundleError
from saiten.model.text.dictionary import PACKAGES, find_dictionary, fingerprint_files
from saiten.model.text.encoder import Encoder
from saiten.model.text.tokenizer import TokenizerConfig


def describe_encoder(encoder: Encoder) -> dict[str, Any]:
    """Returns the manifest's fields for an encoder."""
    config, dictionary = encoder.tokenizer.config, encoder.tokenizer.dictionary
    tokenizer = config.to_dict() | {
        **{field: os.path.abspath(path) for field, path in _dictionary_paths(config).items()},
        "split": " ",
        "mecab_options": "-Owakati",
        "dictionary_version": dictionary.version,
        "files": fingerprint_files(dictionary, config.user_dictionary),
    }
    return {
        "tokenizer": tokenizer,
        "oov": "drop" if encoder.vocabulary.oov_id is None else "token",
        "oov_id": encoder.vocabulary.oov_id,
        "num_words": len(encoder.vocabulary),
        "max_sequence_length": encoder.max_sequence_length,
        "truncating": encoder.truncating,
    }


def tokenizer_config(manifest: Mapping[str, Any]) -> TokenizerConfig:
    """Returns the tokenizer's settings.

    Raises:
        BundleError: A field is missing or of the wrong type.
        UsageError: The tokenizer is of another version.
    """
    user_dictionary = get(manifest, "tokenizer", dict).get("user_dictionary")
    if user_dictionary is not None and not isinstance(user_dictionary, str):
        raise BundleError("The manifest's tokenizer.user_dictionary is no path.")
    return TokenizerConfig(
        normalization=get(manifest, "tokenizer.normalization", str),
        dictionary=get(manifest, "tokenizer.dictionary", str),
        user_dictionary=user_dictionary,
        lower=get(manifest, "tokenizer.lower", bool),
        filters=get(manifest, "tokenizer.filters", str),
        version=get(manifest, "tokenizer.version", int),
    )


def refuse_foreign_dictionaries(manifest: Mapping[str, Any], folder: pathlib.Path) -> None:
    """Refuses a dictionary that may have come with the bundle: MeCab maps it into memory and checks nothing in it.

    Args:
        folder: The bundle's.

    Raises:
        BundleError: The path of a dictionary leads into the bundle, or depends on where the process runs.
    """
    for field, path in _dictionary_paths(tokenizer_config(manifest)).items():
        try:
            is_own = os.path.isabs(path) and not pathlib.Path(path).resolve().is_relative_to(folder.resolve())
        except (OSError, ValueError):  # ValueError: NUL or half a surrogate pair in the path
            is_own = False
        if not is_own:
            raise BundleError(
                f"tokenizer.{field} is {path!r:.200}: a dictionary that is no package lies at an absolute path "
                "outside of the bundle."
            )


def _dictionary_paths(config: TokenizerConfig) -> dict[str, str]:
    paths = {} if config.dictionary in PACKAGES else {"dictionary": config.dictionary}
    return paths if config.user_dictionary is None else {**paths, "user_dictionary": config.user_dictionary}


def _check_dictionary_version(manifest: Mapping[str, Any]) -> None:
    name, expected = get(manifest, "tokenizer.dictionary", str), get(manifest, "tokenizer.dictionary_version", str)
    version = find_dictionary(name).version
    if version != expected:
        raise BundleError(
            f"tokenizer.dictionary_version is {expected} of {name}, but {version or 'another'} is installed: "
            f"pip install {name}=={expected}."
        )


def check_dictionary_files(manifest: Mapping[str, Any]) -> None:
    """Compares the hash of every file that decides how a text is segmented, once a process; see `fingerprint_files`.

    Raises:
        UsageError: The dictionary is not installed, or not what a dictionary is.
        BundleError: Its version or a file differs.
    """
    _check_dictionary_version(manifest)
    config = tokenizer_config(manifest)
    found = fingerprint_files(find_dictionary(config.dictionary), config.user_dictionary)
    expected = get(manifest, "tokenizer.files", dict)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise BundleError(
                f"tokenizer.files: {name} of {config.dictionary} is not the one the bundle was made with; "
                "install that one, or make the bundle anew."
            )
