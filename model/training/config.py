"""The settings of a training. Imports nothing heavy, for the command line shows what may be chosen."""

import dataclasses
import pathlib
from dataclasses import dataclass, field
from typing import Any

from saiten.model.errors import UsageError, refuse_missing
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig

NETWORKS = ("lstm", "bilstm", "gru")
LOSSES = ("mse", "mae", "huber", "binary_crossentropy", "categorical_crossentropy")
OPTIMIZERS = ("adam", "adamw", "nadam", "rmsprop", "sgd")

_CHOICES = {
    "truncating": ("pre", "post"),
    "oov": ("token", "drop"),
    "recurrent": NETWORKS,
    "pooling": ("last", "mean_max"),
    "loss": (None, *LOSSES),
    "optimizer": OPTIMIZERS,
    "class_weight": (None, "balanced"),
}


@dataclass(frozen=True)
class Word2VecConfig:
    """How word2vec is trained.

    Attributes:
        dimensions: Length of a vector.
        context_window: Words looked at on either side.
        epochs: Passes over the texts; None: by `settle`'s rule.
        skip_gram: Predict the context from the word, instead of the word from its context (CBOW).
        size: Root mean square of the vectors' numbers, to which they are scaled.
    """

    dimensions: int = 200
    context_window: int = 5
    epochs: int | None = 5
    skip_gram: bool = False
    size: float = 0.2

    def __post_init__(self) -> None:
        for name in ("dimensions", "context_window", "epochs"):
            _refuse_below_one("Word2vec's " + name, getattr(self, name))


@dataclass(frozen=True)
class NetworkConfig:
    """What network is built.

    Attributes:
        recurrent: One of `NETWORKS`.
        units: Size of its state, in each direction.
        pooling: What becomes of its states: the ``last`` one is taken, or mean and maximum over time.
        first_tokens: It reads so many tokens of a text, from its beginning; None: all.
        train_vectors: The word vectors are trained with it.
        dropout: Share of the vectors' dimensions, and of what is pooled, that a training step leaves out.
        word_dropout: Share of the words that a training step takes for OOV.
        wide: A linear part over distinct words and pairs stands beside it.
        n_pairs: Rows that its pairs are hashed to; None: by `settle`'s rule.
    """

    recurrent: str = "lstm"
    units: int = 32
    pooling: str = "last"
    first_tokens: int | None = None
    train_vectors: bool = False
    dropout: float = 0.0
    word_dropout: float = 0.0
    wide: bool = False
    n_pairs: int | None = None

    def __post_init__(self) -> None:
        for name in ("units", "first_tokens", "n_pairs"):
            _refuse_below_one(name, getattr(self, name))
        _refuse_no_choice(self)


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides what comes of a training, but for the text.

    Attributes:
        recipe: What it was made of; see `saiten.model.training.recipes`.
        tokenizer: Makes the tokens.
        max_sequence_length: Tokens of a text that the network reads at most.
        truncating: Whether a longer text loses its beginning (``pre``) or its end (``post``).
        oov: ``token`` gives words outside the vocabulary an id of their own, ``drop`` leaves them out.
        min_count: Rarer words are not in the vocabulary; None: by `settle`'s rule.
        vocabulary_size: At most so many ids, padding and OOV included; None for no limit.
        word2vec: How vectors are trained.
        vectors: A word2vec text or binary file, read instead.
        network: What is built.
        loss: One of `LOSSES`, on numbers standardised to mean 0 and deviation 1; None: as the labels are.
        class_weight: ``balanced`` gives every class the same weight in the loss, however many texts it has.
        optimizer: One of `OPTIMIZERS`.
        learning_rate: Its step size at first.
        learning_rate_factor: What the step size is multiplied by after an epoch without a better held-out loss.
        batch_size: Texts a step.
        epochs: At most so many passes over the texts; None: until `patience` ends them.
        patience: Training ends after so many epochs without a better held-out loss.
        refit_epochs: After that, so many passes by small steps over all texts, the held-out share included; 0: none.
        validation_fraction: The held-out share; with 0 all epochs are trained and the last is kept.
        seed: Of the held-out share, word2vec, the network's first weights and the order of the texts.
    """

    recipe: str = "article"
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    max_sequence_length: int = 8_000
    truncating: str = "pre"
    oov: str = "token"
    min_count: int | None = 5
    vocabulary_size: int | None = None
    word2vec: Word2VecConfig = field(default_factory=Word2VecConfig)
    vectors: pathlib.Path | None = None
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: str | None = "mse"
    class_weight: str | None = None
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    learning_rate_factor: float = 1.0
    batch_size: int = 32
    epochs: int | None = None
    patience: int = 3
    refit_epochs: int = 0
    validation_fraction: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("max_sequence_length", "min_count", "batch_size", "epochs", "patience"):
            _refuse_below_one(name, getattr(self, name))
        _refuse_no_choice(self)
        if self.refit_epochs < 0:
            raise UsageError(f"refit_epochs must be 0 or more, not {self.refit_epochs}.")
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


def _refuse_below_one(name: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise UsageError(f"{name} must be 1 or more, not {value}.")


def _refuse_no_choice(config: NetworkConfig | TrainingConfig) -> None:
    for name, choices in _CHOICES.items():
        value = getattr(config, name, choices[0])
        if value not in choices:
            named = [choice for choice in choices if choice is not None]
            allowed = f"{', '.join(named[:-1])} or {named[-1]}" if len(named) > 1 else named[0]
            raise UsageError(f"{name} is {allowed}, not {value!r}.")


def refuse_unready(config: TrainingConfig, *, with_baseline: bool) -> None:
    """Refuses a training for which a library, a dictionary or the vectors file is not there, before any work."""
    refuse_missing("scipy", "train")
    if with_baseline:
        refuse_missing("sklearn", "evaluate")
    if config.vectors is None:
        refuse_missing("gensim", "train", ", or give ready --vectors")
    elif not config.vectors.is_file():
        raise UsageError(f"There is no file of word vectors at --vectors={config.vectors}.")
    else:
        from saiten.model.training.words.word_vectors import read_dimensions

        read_dimensions(config.vectors)  # refuses a file of another kind
    Tokenizer(config.tokenizer)
