"""The settings of a training. Imports nothing heavy, for the command line shows what may be chosen."""

import dataclasses
import pathlib
from dataclasses import dataclass, field
from typing import Any

from saiten.model.errors import UsageError
from saiten.model.text.tokenizer import TokenizerConfig

NETWORKS = ("lstm", "bilstm", "gru")
LOSSES = ("mse", "mae", "huber")
OPTIMIZERS = ("adam", "adamw", "nadam", "rmsprop", "sgd")

_CHOICES = {
    "truncating": ("pre", "post"),
    "oov": ("token", "drop"),
    "network": NETWORKS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
}


@dataclass(frozen=True)
class Word2VecConfig:
    """How word2vec is trained.

    Attributes:
        dimensions: Length of a vector.
        context_window: Words looked at on either side.
        epochs: Passes over the texts.
        skip_gram: Predict the context from the word, instead of the word from its context (CBOW).
    """

    dimensions: int = 200
    context_window: int = 5
    epochs: int = 5
    skip_gram: bool = False

    def __post_init__(self) -> None:
        for name in ("dimensions", "context_window", "epochs"):
            if getattr(self, name) < 1:
                raise UsageError(f"Word2vec's {name} must be 1 or more, not {getattr(self, name)}.")


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides what comes of a training, but for the text.

    Attributes:
        tokenizer: Makes the tokens.
        max_sequence_length: Tokens of a text that the network reads at most.
        truncating: Whether a longer text loses its beginning (``pre``) or its end (``post``).
        oov: ``token`` gives words outside the vocabulary an id of their own, ``drop`` leaves them out.
        min_count: Rarer words are not in the vocabulary.
        vocabulary_size: At most so many ids, padding and OOV included; None for no limit.
        word2vec: How vectors are trained.
        vectors: A word2vec text or binary file, read instead.
        network: One of `NETWORKS`.
        units: Size of its state, in each direction.
        loss: One of `LOSSES`, on labels standardised to mean 0 and deviation 1.
        optimizer: One of `OPTIMIZERS`.
        learning_rate: Its step size.
        batch_size: Texts a step.
        epochs: At most so many passes over the texts.
        patience: Training ends after so many epochs without a better held-out loss.
        validation_fraction: The held-out share; with 0 all epochs are trained and the last is kept.
        seed: Of the held-out share, word2vec, the network's first weights and the order of the texts.
    """

    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    max_sequence_length: int = 8_000
    truncating: str = "pre"
    oov: str = "token"
    min_count: int = 5
    vocabulary_size: int | None = None
    word2vec: Word2VecConfig = field(default_factory=Word2VecConfig)
    vectors: pathlib.Path | None = None
    network: str = "lstm"
    units: int = 32
    loss: str = "mse"
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    batch_size: int = 32
    epochs: int = 12
    patience: int = 3
    validation_fraction: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("max_sequence_length", "min_count", "units", "batch_size", "epochs", "patience"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be 1 or more, not {getattr(self, name)}.")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                allowed = f"{', '.join(choices[:-1])} or {choices[-1]}"
                raise UsageError(f"{name} is {allowed}, not {getattr(self, name)!r}.")
        if self.vocabulary_size is not None and self.vocabulary_size < 3:
            raise UsageError(f"vocabulary_size must be 3 or more (padding, OOV, a word), not {self.vocabulary_size}.")
        if not 0 < self.learning_rate < float("inf"):
            raise UsageError(f"learning_rate must be above 0, not {self.learning_rate}.")
        if not 0 <= self.validation_fraction < 1:
            raise UsageError(f"validation_fraction must be 0 or more and below 1, not {self.validation_fraction}.")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed must be from 0 to {2**32 - 1}, not {self.seed}.")

    def to_dict(self) -> dict[str, Any]:
        """Returns the settings as JSON holds them; of a vectors file its name only."""
        settings = dataclasses.asdict(self)
        settings["vectors"] = self.vectors.name if self.vectors else None
        return settings
