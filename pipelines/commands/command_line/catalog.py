"""The commands, by what a person wants to do."""

from collections.abc import Mapping

PURPOSES: Mapping[str, Mapping[str, str]] = {
    "make a model": {
        "train": "train a model on labelled text and bundle it",
        "bundle": "make a bundle of a Keras model that exists already",
        "validate": "prove a bundle: hashes, dictionary, golden records, padding",
    },
    "score texts": {
        "score": "score any amount of text with a bundle",
    },
    "see what came of it": {
        "inspect": "show a bundle or a run as a short page",
        "evaluate": "show how well scores fit their labels",
        "explain": "show how texts are tokenized and scored, and which words did it",
        "compare": "show how far the scores of two runs are apart",
    },
    "get help": {
        "doctor": "try what Saiten needs on this machine, with remedies",
    },
}
COMMANDS: Mapping[str, str] = {name: summary for commands in PURPOSES.values() for name, summary in commands.items()}
