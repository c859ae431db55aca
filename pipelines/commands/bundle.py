"""`saiten bundle`: a bundle of a Keras model that exists already."""

import argparse
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from saiten.pipelines.quiet import import_tensorflow
from saiten.pipelines.terminal import say

if TYPE_CHECKING:
    from saiten.model.text.encoder import Encoder

_MAX_SAMPLE_TEXTS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten bundle`."""
    parser.add_argument("--keras_model", required=True, help="the model, a .keras file")
    parser.add_argument("--word_index", required=True, help="JSON: a Keras Tokenizer's to_json(), or {word: id}")
    parser.add_argument("--outputs", required=True, help="names of the model's outputs, comma-separated")
    parser.add_argument("--bundle", required=True, help="a new directory for the bundle")
    parser.add_argument(
        "--tokenizer_input",
        choices=["text", "tokens"],
        default="text",
        help="what the Tokenizer was fed with: strings (filtered and lower-cased) or lists of tokens (lower-cased)",
    )
    parser.add_argument("--oov", choices=["token", "drop"], help="words not in the index (default: as its JSON says)")
    parser.add_argument("--oov_token", help="the word that stands for OOV words, where the JSON does not say")
    parser.add_argument("--num_words", type=int, help="use ids below it only, where the JSON does not say")
    parser.add_argument("--normalization", choices=["nfkc", "none"], default="none", help="as in training")
    parser.add_argument("--lower", action="store_true", help="lower-case tokens, where the JSON does not say")
    parser.add_argument("--max_sequence_length", type=int, default=8000, help="longer texts are truncated")
    parser.add_argument("--truncating", choices=["pre", "post"], default="pre", help="pre drops a text's beginning")
    parser.add_argument("--dictionary", default="unidic-lite", help="unidic-lite, unidic, ipadic or a directory")
    parser.add_argument("--user_dictionary", help="a compiled MeCab user dictionary")
    parser.add_argument("--sample_texts", help="a file of texts, a line each, for the golden records")
    parser.add_argument("--trust_bundle", action="store_true", help="let through layers that Saiten does not build")


def run(args: argparse.Namespace) -> int:
    """Writes the bundle; returns 0.

    Raises:
        UsageError: Model, word index and flags do not go together.
    """
    import_tensorflow()
    from saiten.model.bundle.writer import write_bundle
    from saiten.model.errors import UsageError
    from saiten.model.keras_models.saved_model import check_keras_file, load_keras_file

    path = pathlib.Path(args.keras_model)
    if not path.is_file():
        raise UsageError(f"There is no Keras model at {path}.")
    texts = _sample_texts(args.sample_texts)
    check_keras_file(path, trust=args.trust_bundle)
    model = load_keras_file(path)
    outputs = [name.strip() for name in args.outputs.split(",")]
    bundle = write_bundle(
        pathlib.Path(args.bundle),
        model=model,
        encoder=_make_encoder(args, model),
        outputs=outputs,
        golden_texts=texts,
        training={"made_from": path.name, "word_index": pathlib.Path(args.word_index).name},
        reference={},
    )
    engine = "packed and keras engines" if bundle.has_packed else f"keras engine only: {bundle.why_not_packed}"
    say(
        f"bundle {bundle.bundle_id[:12]} in {args.bundle}: {bundle.manifest.encoder.num_words:,} ids, "
        f"{len(outputs)} outputs, {engine}"
    )
    return 0


def _make_encoder(args: argparse.Namespace, model: object) -> "Encoder":
    import dataclasses

    from saiten.model.errors import UsageError
    from saiten.model.keras_models.keras_tokenizer import read_word_index, with_oov
    from saiten.model.keras_models.layers import model_vocabulary_size
    from saiten.model.text.encoder import Encoder
    from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig

    index = read_word_index(pathlib.Path(args.word_index), tokenizer_input=args.tokenizer_input)
    index = with_oov(index, args.oov, args.oov_token)
    if args.num_words is not None:
        if args.num_words < 1:
            raise UsageError(f"--num_words must be 1 or more, not {args.num_words}.")
        index = dataclasses.replace(index, num_words=args.num_words)
    config = TokenizerConfig(
        normalization=args.normalization,
        dictionary=args.dictionary,
        user_dictionary=args.user_dictionary,
        lower=index.lower or args.lower,
        filters=index.filters,
    )
    vocabulary = index.vocabulary(model_vocabulary_size(model))
    return Encoder(Tokenizer(config), vocabulary, args.max_sequence_length, args.truncating)


def _sample_texts(name: str | None) -> Sequence[str]:
    from itertools import islice

    from saiten.model.errors import UsageError

    if name is None:
        return []
    try:
        with open(name, encoding="utf-8-sig") as file:
            return [line.rstrip("\r\n") for line in islice(file, _MAX_SAMPLE_TEXTS)]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--sample_texts={name} cannot be read as UTF-8 text.") from error
