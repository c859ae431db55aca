"""The flags of `saiten train`, and the settings that they are."""

import argparse
import dataclasses
import pathlib
from typing import Any

from saiten.model.errors import UsageError
from saiten.model.training.config import LOSSES, NETWORKS, OPTIMIZERS, TrainingConfig
from saiten.model.training.recipes import DEFAULT_RECIPE, RECIPES
from saiten.pipelines.commands.flags import add_segmenter_argument, add_text_arguments, tokenizer_config

# What the settings of a part are called on the command line.
_WORD2VEC_FLAGS = {"embedding_dim": "dimensions", "word2vec_epochs": "epochs", "context_window": "context_window"}
_NETWORK_FLAGS = {"network": "recurrent", "lstm_units": "units"}
# How what is wrong with a setting begins, and the flag of another name that gave it.
_BEGINNINGS = {
    **{setting: flag for flag, setting in _NETWORK_FLAGS.items()},
    **{f"Word2vec's {setting}": flag for flag, setting in _WORD2VEC_FLAGS.items()},
}
# What a recipe means that leaves a setting open.
_UNSET = {"loss": "as the labels are", "min_count": "by the amount of text", "word2vec_epochs": "by the amount of text"}


def add_label_arguments(group: "argparse._ActionsContainer") -> None:
    """Adds the flags that say where the labels are, the same for `train` and `evaluate`."""
    group.add_argument(
        "--label_fields", metavar="FIELDS", help="fields with the labels, where these are numbers, commas between"
    )
    group.add_argument("--class_field", metavar="FIELD", help="instead: the field with the name of each text's class")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the recipe, the text and the network. What is not given is the recipe's."""
    recipe = parser.add_argument_group("to choose how the model learns")
    recipe.add_argument(
        "--recipe",
        choices=list(RECIPES),
        default=DEFAULT_RECIPE,
        help="settings that belong together; the flags below override single ones",
    )
    groups = [parser.add_argument_group(title) for title in ("from text to word vectors", "network", "held-out texts")]
    _add_text_arguments(groups[0])
    _add_network_arguments(groups[1])
    _add_held_out_arguments(groups[2])
    for group in groups:
        for action in group._group_actions:  # noqa: SLF001 - argparse has no public way to list them
            action.help = f"{action.help}{_recipe_defaults(action.dest)}"


def _add_text_arguments(group: "argparse._ArgumentGroup") -> None:
    add_text_arguments(group, normalization="nfkc")
    add_segmenter_argument(group)
    group.add_argument("--max_sequence_length", type=int, help="tokens; longer texts are truncated")
    group.add_argument("--truncating", choices=["pre", "post"], help="drop a long text's beginning, or its end")
    group.add_argument(
        "--oov",
        choices=["token", "drop"],
        help="what becomes of OOV words, which are not in the vocabulary: one token for all, or nothing",
    )
    group.add_argument("--min_count", type=int, help="rarer words are not in the vocabulary")
    group.add_argument(
        "--vocabulary_size", type=int, help="ids at most, those of padding and OOV words included (default: no limit)"
    )
    group.add_argument("--embedding_dim", type=int, help="length of a word vector (--vectors has its own)")
    group.add_argument(
        "--vectors",
        metavar="FILE",
        type=pathlib.Path,
        help="word vectors in word2vec's text or binary format (default: trained)",
    )
    group.add_argument(
        "--word2vec_input", metavar="FILES", help="further text for word2vec: file, directory, glob or list"
    )
    group.add_argument("--word2vec_epochs", type=int, help="passes of word2vec over the texts")
    group.add_argument("--context_window", type=int, help="how many words on either side word2vec looks at")
    ways = {
        way: [name for name, recipe in RECIPES.items() if recipe.word2vec.skip_gram is way] for way in (True, False)
    }
    for flag, way, called in (("--skip_gram", True, "skip-gram"), ("--cbow", False, "CBOW")):
        group.add_argument(
            flag,
            action="store_const",
            const=way,
            dest="skip_gram",
            help=f"word2vec by {called} (default: of {', '.join(ways[way])})",
        )


def _add_network_arguments(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--network", choices=NETWORKS, help="the recurrent part")
    group.add_argument("--lstm_units", type=int, help="size of its state, in each direction")
    group.add_argument("--loss", metavar="NAME", choices=LOSSES, help=f"{', '.join(LOSSES[:-1])} or {LOSSES[-1]}")
    group.add_argument(
        "--class_weight",
        choices=["balanced"],
        help="all classes count the same in the loss, and the probabilities are as if all were as common",
    )
    group.add_argument("--optimizer", metavar="NAME", choices=OPTIMIZERS, help=", ".join(OPTIMIZERS))
    group.add_argument("--learning_rate", type=float, help="its first step size")
    group.add_argument("--batch_size", type=int, help="texts in each step")
    group.add_argument(
        "--epochs",
        type=int,
        help="passes over the texts, at most (default: until the held-out loss no longer falls)",
    )
    group.add_argument("--patience", type=int, help="epochs without gain after which training ends")
    group.add_argument(
        "--refit_epochs", type=int, help="passes in small steps that follow, over all texts, the held-out ones included"
    )
    group.add_argument("--seed", type=int, help="where everything random starts from")


def _add_held_out_arguments(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--validation_fraction",
        metavar="SHARE",
        type=float,
        help="share of the texts to hold out, from 0 to 1: they measure the model",
    )
    group.add_argument(
        "--validation_input", metavar="FILES", help="texts to hold out instead: file, directory, glob or list"
    )
    group.add_argument(
        "--baseline", action="store_true", help="train a linear model beside it (TF-IDF, scikit-learn) and compare"
    )


def _recipe_defaults(dest: str) -> str:
    """Returns what the recipes have for a flag, for its help; nothing for a flag that says its default itself."""
    values = {name: _recipe_value(recipe, dest) for name, recipe in RECIPES.items()}
    if set(values.values()) == {None}:
        return ""
    shown = {name: _UNSET.get(dest, "none") if value is None else f"{value}" for name, value in values.items()}
    if len(set(shown.values())) == 1:
        return f" (default: {shown[DEFAULT_RECIPE]})"
    return f" (default: {', '.join(f'{name} {value}' for name, value in shown.items())})"


def _recipe_value(recipe: TrainingConfig, dest: str) -> Any:
    if dest in _WORD2VEC_FLAGS:
        return getattr(recipe.word2vec, _WORD2VEC_FLAGS[dest])
    if dest in _NETWORK_FLAGS:
        return getattr(recipe.network, _NETWORK_FLAGS[dest])
    return getattr(recipe, dest, None)


def training_config(args: argparse.Namespace) -> TrainingConfig:
    """Returns the training's settings: the recipe's, and over them the flags that are given.

    Raises:
        UsageError: A value is out of range, or two do not go together.
    """
    if args.baseline and args.validation_fraction == 0 and args.validation_input is None:
        raise UsageError("--baseline compares on held-out texts: leave out --validation_fraction=0.")
    if args.vectors is not None and args.embedding_dim is not None:
        raise UsageError("--vectors says how long a vector is: leave out --embedding_dim.")
    from saiten.model.training.targets import refuse_loss_of_names

    recipe = RECIPES[args.recipe]
    if args.class_field:
        refuse_loss_of_names(args.loss)
        recipe = dataclasses.replace(recipe, loss=None)  # the article's is for numbers; what fits classes follows
    given = {name: value for name, value in vars(args).items() if value is not None}
    try:
        return _config(args, recipe, given)
    except UsageError as error:
        raise UsageError(_by_its_flag(str(error), given)) from error


def _config(args: argparse.Namespace, recipe: TrainingConfig, given: dict[str, Any]) -> TrainingConfig:
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


def _by_its_flag(message: str, given: dict[str, Any]) -> str:
    """Returns a sentence that begins with a setting with the flag in its place."""
    for name, flag in {**_BEGINNINGS, **{name: name for name in given}}.items():
        if message.startswith(f"{name} "):
            return f"--{flag}{message.removeprefix(name)}"
    return message


def _renamed(given: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {field: given[flag] for flag, field in names.items() if flag in given}
