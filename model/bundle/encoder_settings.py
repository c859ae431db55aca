"""What a bundle's manifest says about its encoder: tokenizer, dictionary, vocabulary, truncation."""

import dataclasses
import os
import pathlib
from typing import Any

from saiten.model.bundle.bundle_manifest import EncoderSettings
from saiten.model.errors import BundleError
from saiten.model.text.dictionary import PACKAGES, find_dictionary, fingerprint_files
from saiten.model.text.encoder import Encoder
from saiten.model.text.tokenizer import TokenizerConfig


def describe_encoder(encoder: Encoder) -> EncoderSettings:
    """Returns the manifest's settings for an encoder."""
    config, dictionary = encoder.tokenizer.config, encoder.tokenizer.dictionary
    paths: dict[str, Any] = {field: os.path.abspath(path) for field, path in _dictionary_paths(config).items()}
    return EncoderSettings(
        tokenizer=dataclasses.replace(config, **paths),
        dictionary_version=dictionary.version,
        dictionary_files=fingerprint_files(dictionary, config.user_dictionary),
        oov_id=encoder.vocabulary.oov_id,
        num_words=len(encoder.vocabulary),
        max_sequence_length=encoder.max_sequence_length,
        truncating=encoder.truncating,
    )


def refuse_foreign_dictionaries(settings: EncoderSettings, folder: pathlib.Path) -> None:
    """Refuses a dictionary that may have come with the bundle: MeCab maps it into memory and checks nothing in it.

    Args:
        settings: What the bundle's manifest says.
        folder: The bundle's.

    Raises:
        BundleError: The path of a dictionary leads into the bundle, or depends on where the process runs.
    """
    for field, path in _dictionary_paths(settings.tokenizer).items():
        try:
            is_own = os.path.isabs(path) and not pathlib.Path(path).resolve().is_relative_to(folder.resolve())
        except (OSError, ValueError):  # ValueError: NUL or half a surrogate pair in the path
            is_own = False
        if not is_own:
            raise BundleError(
                f"tokenizer.{field} is {path!r:.200}: a dictionary that is no package lies at an absolute path "
                "outside of the bundle."
            )


def check_dictionary_files(settings: EncoderSettings) -> None:
    """Compares the hash of every file that decides how a text is segmented, once a process; see `fingerprint_files`.

    Raises:
        UsageError: The dictionary is not installed, or not what a dictionary is.
        BundleError: Its version or a file differs.
    """
    config = settings.tokenizer
    dictionary = find_dictionary(config.dictionary)
    if dictionary.version != settings.dictionary_version:
        raise BundleError(
            f"tokenizer.dictionary_version is {settings.dictionary_version} of {config.dictionary}, but "
            f"{dictionary.version or 'another'} is installed: "
            f"pip install {config.dictionary}=={settings.dictionary_version}."
        )
    found = fingerprint_files(dictionary, config.user_dictionary)
    for name in sorted(settings.dictionary_files.keys() | found.keys()):
        if settings.dictionary_files.get(name) != found.get(name):
            raise BundleError(
                f"tokenizer.files: {name} of {config.dictionary} is not the one the bundle was made with; "
                "install that one, or make the bundle anew."
            )


def _dictionary_paths(config: TokenizerConfig) -> dict[str, str]:
    paths = {} if config.dictionary in PACKAGES else {"dictionary": config.dictionary}
    return paths if config.user_dictionary is None else {**paths, "user_dictionary": config.user_dictionary}
