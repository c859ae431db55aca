"""`saiten bundle`: a bundle of a Keras model that exists already."""

import argparse
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from saiten.model.counted import counted
from saiten.pipelines.commands.flags import add_segmenter_argument, add_text_arguments, tokenizer_config, unreadable
from saiten.pipelines.quiet import import_tensorflow
from saiten.pipelines.terminal import say

if TYPE_CHECKING:
    from saiten.model.keras_models.keras_tokenizer import WordIndex
    from saiten.pipelines.commands.pages.settled_page import Settled

_MAX_SAMPLE_TEXTS = 10_000
_MAX_SEQUENCE_LENGTH = 8_000


EXAMPLE = (
    "saiten bundle --keras_model=model.keras --word_index=tokenizer.json \\\n"
    "    --outputs=taste,service --bundle=bundles/mine"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten bundle`."""
    model = parser.add_argument_group("the model")
    model.add_argument("--keras_model", metavar="FILE", required=True, help="a .keras file or an older .h5")
    model.add_argument("--outputs", metavar="NAMES", required=True, help="names of its outputs, commas between")
    model.add_argument("--trust_bundle", action="store_true", help="accept layers that hold code of their own")
    words = parser.add_argument_group("its words")
    words.add_argument(
        "--word_index", metavar="FILE", required=True, help="JSON: a Keras Tokenizer's to_json(), or {word: id}"
    )
    _add_tokenizer_arguments(parser.add_argument_group("the Tokenizer, where its file does not say"))
    texts = parser.add_argument_group("how texts were prepared")
    add_text_arguments(texts, normalization="none")
    texts.add_argument(
        "--max_sequence_length", type=int, help="tokens; longer texts are truncated (default: the model's input)"
    )
    texts.add_argument("--truncating", choices=["pre", "post"], default="pre", help="pre drops a text's beginning")
    made = parser.add_argument_group("what is made")
    made.add_argument("--bundle", metavar="DIR", required=True, help="a new directory for the bundle")
    made.add_argument(
        "--expected",
        metavar="FILE",
        type=pathlib.Path,
        help="texts with the scores that model.predict gave them, to compare with",
    )
    made.add_argument(
        "--sample_texts",
        metavar="FILE",
        help="sample texts, one a line, to keep with their scores as golden records: workers try them",
    )
    add_segmenter_argument(made)


def _add_tokenizer_arguments(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--tokenizer",
        choices=["keras-default"],
        help="lower-casing, filters and the word for unknown words (OOV) as Keras has them",
    )
    group.add_argument(
        "--tokenizer_input",
        choices=["text", "tokens"],
        help="what it was fed with: strings (filtered and lower-cased) or lists of tokens (lower-cased)",
    )
    group.add_argument("--lower", action=argparse.BooleanOptionalAction, help="tokens were lower-cased, or not")
    group.add_argument(
        "--filters", metavar="CHARS", help="characters that became spaces; keras for Keras' own, none for none"
    )
    group.add_argument(
        "--oov",
        choices=["token", "drop"],
        help="what becomes of OOV words, which are not in the index: one token for all, or nothing",
    )
    group.add_argument("--oov_token", metavar="WORD", help="the word in the index that stands for OOV words")
    group.add_argument("--num_words", type=int, help="use only ids below it (default: all)")


def run(args: argparse.Namespace) -> int:
    """Writes the bundle; returns 0.

    Raises:
        BundleError: Model, word index and flags do not go together.
    """
    from saiten.model.bundle.expected import expected_tolerance, read_expected
    from saiten.model.bundle.writer import refuse_used, write_bundle
    from saiten.model.errors import BundleError
    from saiten.model.keras_models.keras_tokenizer import read_word_index
    from saiten.model.text.tokenizer import Tokenizer

    path = pathlib.Path(args.keras_model)
    if not path.exists():
        raise BundleError(f"There is no Keras model at {path}; --keras_model takes a .keras or .h5 file.")
    refuse_used(pathlib.Path(args.bundle))
    texts = _sample_texts(args.sample_texts)
    outputs = [name.strip() for name in args.outputs.split(",")]
    expected = read_expected(args.expected, outputs) if args.expected else None
    index = read_word_index(pathlib.Path(args.word_index))
    Tokenizer(tokenizer_config(args))  # a dictionary that will not do is told of before TensorFlow is loaded
    import_tensorflow()
    from saiten.model.engines.precision import half_precision_of
    from saiten.model.keras_models.layers import refuse_outputs, task_of
    from saiten.model.keras_models.model_file import read_model_file
    from saiten.pipelines.commands.pages.settled_page import say_settled

    model, made_from = read_model_file(path, trust=args.trust_bundle)
    refuse_outputs(model, outputs)
    settled = settle(args, model, index)
    bundle = write_bundle(
        pathlib.Path(args.bundle),
        model=model,
        encoder=settled.encoder,
        outputs=outputs,
        golden_texts=[*(expected.texts if expected else ()), *texts],
        training={"made_from": path.name, "file": made_from, "word_index": pathlib.Path(args.word_index).name},
        reference={},
        task=task_of(model),
        expected=expected,
    )
    say_settled(settled, _origins_of(args), texts, expected)
    if half := half_precision_of(model):
        say(
            f"precision: single, where the model computed in {half}: scores may differ from its own by "
            f"{expected_tolerance(half):g}"
        )
    say(
        f"bundle {bundle.bundle_id[:12]} in {args.bundle}: {bundle.manifest.encoder.num_words:,} ids, "
        f"{counted(len(outputs), 'output')} ({bundle.manifest.task}), {bundle.engines}"
    )
    return 0


def settle(args: argparse.Namespace, model: Any, index: "WordIndex") -> "Settled":
    """Returns how texts become the model's ids, as files and flags say.

    Raises:
        BundleError: They do not go together, or leave something open that matters.
    """
    from saiten.model.keras_models.layers import model_vocabulary_size
    from saiten.model.keras_models.tokenizer_settings import TokenizerFlags, settle_tokenizer, was_fed_with_strings
    from saiten.model.text.encoder import Encoder
    from saiten.model.text.tokenizer import Tokenizer
    from saiten.pipelines.commands.pages.settled_page import Settled

    length, length_from = _length(args.max_sequence_length, model.inputs[0].shape[1])
    flags = TokenizerFlags(
        args.tokenizer, args.tokenizer_input, args.lower, args.filters, args.oov, args.oov_token, args.num_words
    )
    index, origins = settle_tokenizer(index, flags)
    n_ids = model_vocabulary_size(model)
    vocabulary = index.vocabulary(n_ids)
    config = tokenizer_config(
        args, lower=index.lower, filters=index.filters, of_strings=was_fed_with_strings(index, flags)
    )
    _check_added_tokens(config.prefix_token, config.suffix_token, vocabulary.ids)
    return Settled(
        Encoder(Tokenizer(config, args.segmenter), vocabulary, length, args.truncating),
        length_from,
        origins,
        index,
        n_ids,
    )


def _length(asked: int | None, width: int | None) -> tuple[int, str]:
    """Returns how many ids the model reads at most, and who says so."""
    from saiten.model.errors import BundleError

    if asked is None:
        return (_MAX_SEQUENCE_LENGTH, "default") if width is None else (width, "the model's input")
    if width is not None and asked > width:
        raise BundleError(
            f"--max_sequence_length={asked} is more than the {width} ids of the model's input; leave the flag out."
        )
    return asked, "flag"


def _check_added_tokens(prefix: str | None, suffix: str | None, ids: Any) -> None:
    from saiten.model.errors import BundleError

    for flag, token in (("prefix_token", prefix), ("suffix_token", suffix)):
        if token is not None and token not in ids:
            raise BundleError(
                f"--{flag}={token:.40}: that token is not in the word index; give it as it stands there, after "
                "lower-casing and filters."
            )


def _origins_of(args: argparse.Namespace) -> Callable[[str], str]:
    """Returns what tells of a flag ``default`` where it has its default, else ``flag``.

    A setting without a flag's name stands in the lines only where one was given.
    """
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return lambda name: "default" if name and getattr(args, name) == parser.get_default(name) else "flag"


def _sample_texts(name: str | None) -> Sequence[str]:
    from itertools import islice

    if name is None:
        return []
    try:
        with open(name, encoding="utf-8-sig") as file:
            return [line.rstrip("\r\n") for line in islice(file, _MAX_SAMPLE_TEXTS)]
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(f"--sample_texts={name}", error) from error
