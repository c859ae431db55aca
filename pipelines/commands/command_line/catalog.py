"""The commands, by what a person wants to do."""

from collections.abc import Mapping

PURPOSES: Mapping[str, Mapping[str, str]] = {
    "make a model": {
        "train": "train a model on labelled text",
        "bundle": "take in a Keras model that exists already",
        "validate": "check that a bundle still gives the scores it was made with",
    },
    "score texts": {
        "score": "score any amount of text with a bundle",
    },
    "see what came of it": {
        "inspect": "show what is in a bundle or a run, on a short page",
        "evaluate": "show how well scores fit their labels",
        "explain": "show how texts are tokenized and scored, and which words did it",
        "compare": "show how far the scores of two runs differ",
    },
    "get help": {
        "doctor": "try what Saiten needs on this machine, and say what to do",
    },
}
COMMANDS: Mapping[str, str] = {name: summary for commands in PURPOSES.values() for name, summary in commands.items()}
