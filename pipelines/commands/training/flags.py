"""The flags of `saiten train`, and the settings that they are."""

import argparse
import dataclasses
import pathlib
from typing import Any

from saiten.model.training.config import LOSSES, NETWORKS, OPTIMIZERS, TrainingConfig
from saiten.model.training.recipes import DEFAULT_RECIPE, RECIPES
from saiten.pipelines.commands.flags import add_text_arguments, tokenizer_config

# What the settings of a part are called on the command line.
_WORD2VEC_FLAGS = {"embedding_dim": "dimensions", "word2vec_epochs": "epochs", "context_window": "context_window"}
_NETWORK_FLAGS = {"network": "recurrent", "lstm_units": "units"}


def add_label_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that say where the labels are, the same for `train` and `evaluate`."""
    parser.add_argument("--label_fields", help="fields with the labels, numbers, comma-separated")
    parser.add_argument("--class_field", help="instead: field with the name of a text's class")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the recipe, the text and the network. What is not given is the recipe's."""
    parser.add_argument(
        "--recipe",
        choices=list(RECIPES),
        default=DEFAULT_RECIPE,
        help="settings that belong together; single flags override them (default: %(default)s)",
    )
    _add_text_arguments(parser.add_argument_group("text to word vectors"))
    _add_network_arguments(parser.add_argument_group("network"))
    _add_held_out_arguments(parser.add_argument_group("held-out texts"))


def _add_text_arguments(group: "argparse._ArgumentGroup") -> None:
    add_text_arguments(group, normalization="nfkc")
    group.add_argument("--max_sequence_length", type=int, help="tokens; longer texts are truncated")
    group.add_argument("--truncating", choices=["pre", "post"], help="drop the beginning or the end")
    group.add_argument("--oov", choices=["token", "drop"], help="words outside the vocabulary")
    group.add_argument("--min_count", type=int, help="rarer words are not in the vocabulary")
    group.add_argument("--vocabulary_size", type=int, help="at most so many ids, padding and OOV included")
    group.add_argument("--embedding_dim", type=int, help="length of a word vector (--vectors has its own)")
    group.add_argument("--vectors", type=pathlib.Path, help="word2vec text or binary file, instead of training them")
    group.add_argument("--word2vec_input", help="further text for word2vec: file, directory, glob or list")
    group.add_argument("--word2vec_epochs", type=int)
    group.add_argument("--context_window", type=int, help="word2vec looks at so many words on either side")
    group.add_argument("--skip_gram", action="store_true", default=None, help="word2vec by skip-gram")
    group.add_argument("--cbow", action="store_false", dest="skip_gram", default=None, help="word2vec by CBOW")


def _add_network_arguments(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--network", choices=NETWORKS, help="the recurrent part")
    group.add_argument("--lstm_units", type=int, help="size of its state, in each direction")
    group.add_argument("--loss", choices=LOSSES, help="instead of the one that follows from the labels")
    group.add_argument("--class_weight", choices=["balanced"], help="all classes count the same in the loss")
    group.add_argument("--optimizer", choices=OPTIMIZERS)
    group.add_argument("--learning_rate", type=float)
    group.add_argument("--batch_size", type=int)
    group.add_argument("--epochs", type=int, help="at most; else until the held-out loss no longer falls")
    group.add_argument("--patience", type=int, help="end after so many epochs without a better one")
    group.add_argument("--seed", type=int)


def _add_held_out_arguments(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--validation_fraction", type=float, help="share of the texts that is held out")
    group.add_argument("--validation_input", help="texts to hold out instead: file, directory, glob or list")


def training_config(args: argparse.Namespace) -> TrainingConfig:
    """Returns the training's settings: the recipe's, and over them the flags that are given.

    Raises:
        UsageError: A value is out of range.
    """
    recipe = RECIPES[args.recipe]
    if args.class_field:
        recipe = dataclasses.replace(recipe, loss=None)  # the article's is for numbers; what fits classes follows
    given = {name: value for name, value in vars(args).items() if value is not None}
    word2vec = _renamed(given, {**_WORD2VEC_FLAGS, "skip_gram": "skip_gram"})
    network = _renamed(given, _NETWORK_FLAGS)
    named = {field.name for field in dataclasses.fields(TrainingConfig)} - {"word2vec", "network", "recipe"}
    return dataclasses.replace(
        recipe,
        tokenizer=tokenizer_config(args),
        word2vec=dataclasses.replace(recipe.word2vec, **word2vec),
        network=dataclasses.replace(recipe.network, **network),
        **{name: value for name, value in given.items() if name in named},
    )


def _renamed(given: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {field: given[flag] for flag, field in names.items() if flag in given}
