"""What becomes of one text, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass

from saiten.model.engines.engine import Engine
from saiten.model.engines.occlusion import group_size, measure_effects
from saiten.model.errors import RecordError, UsageError
from saiten.model.text.encoder import Encoder


@dataclass(frozen=True)
class ExplainedToken:
    """A token and what became of it.

    Attributes:
        surface: The token.
        token_id: Its id, None where it was dropped.
        fate: ``read``, ``oov`` (read as the OOV id), ``dropped`` (OOV) or ``cut`` (truncated).
        effects: By how much each score is higher with the token than without it, in the order of the outputs;
            empty where the model did not read it, or read nothing else.
    """

    surface: str
    token_id: int | None
    fate: str
    effects: tuple[float, ...] = ()

    @property
    def shown_id(self) -> str:
        """The id as a person reads it."""
        return "-" if self.token_id is None else str(self.token_id)


@dataclass(frozen=True)
class Explanation:
    """Everything that happened to a text.

    Attributes:
        normal_form: The text as MeCab saw it.
        tokens: All of them, before truncation.
        n_tokens: How many.
        n_oov: How many of those the vocabulary does not have.
        length: How many ids the model read.
        scores: One for each output, None where no id was left.
        left_out_together: So many neighbouring tokens were left out at a time to measure effects: 1, but in long texts.
    """

    normal_form: str
    tokens: tuple[ExplainedToken, ...]
    n_tokens: int
    n_oov: int
    length: int
    scores: tuple[float, ...] | None
    left_out_together: int


def explain_text(encoder: Encoder, engine: Engine, text: str) -> Explanation:
    """Encodes and scores one text, then again without each of its tokens, and keeps what is found on the way.

    Raises:
        UsageError: The text cannot be tokenized.
    """
    try:
        encoded = encoder.encode([text])
        surfaces = encoder.tokenizer.tokenize(text)
    except RecordError as error:
        raise UsageError(f"This text would be a dead letter: {error}.") from error
    length = int(encoded.lengths[0])
    scores = tuple(map(float, engine.score(encoded.token_ids, encoded.offsets)[0])) if length else None
    effects = measure_effects(engine, encoded.token_ids)
    return Explanation(
        encoder.tokenizer.normalize(text),
        _tokens(encoder, surfaces, length, effects.tolist() if effects is not None else [()] * length),
        int(encoded.n_tokens[0]),
        int(encoded.n_oov[0]),
        length,
        scores,
        group_size(length),
    )


def _tokens(
    encoder: Encoder, surfaces: list[str], length: int, effects: Sequence[Sequence[float]]
) -> tuple[ExplainedToken, ...]:
    vocabulary = encoder.vocabulary
    ids = [vocabulary.ids.get(surface, vocabulary.oov_id) for surface in surfaces]
    kept = [i for i, token_id in enumerate(ids) if token_id is not None]
    read = kept[:length] if encoder.truncating == "post" else kept[len(kept) - length :]
    effects_of = dict(zip(read, effects, strict=True))
    tokens = []
    for i, (surface, token_id) in enumerate(zip(surfaces, ids, strict=True)):
        fate = "read" if surface in vocabulary.ids else "oov"
        if token_id is None:
            fate = "dropped"
        elif i not in effects_of:
            fate = "cut"
        tokens.append(ExplainedToken(surface, token_id, fate, tuple(effects_of.get(i, ()))))
    return tuple(tokens)
