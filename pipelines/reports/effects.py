"""Which tokens of a text count most, and what it was taken for."""

from dataclasses import dataclass

from saiten.model.bundle.explain import Explanation

_SHOWN_CLASSES = 10


@dataclass(frozen=True)
class ExplainedText:
    """A text and what was found of it.

    Attributes:
        id: None where the text came from the command line.
        is_class: The outputs are exclusive classes.
    """

    id: str | None
    found: Explanation
    is_class: bool

    @property
    def label(self) -> int | None:
        """The position of the class with the highest score; None where there is none."""
        scores = self.found.scores
        return scores.index(max(scores)) if self.is_class and scores else None

    @property
    def foremost(self) -> int | None:
        """The output to look at first: the class, or what the tokens move most; None where no effect is known."""
        moved = most_effect(self.found)
        return moved if moved is None or self.label is None else self.label

    @property
    def shown_outputs(self) -> list[int]:
        """The outputs in the model's order; of many classes those with the highest scores, the highest first."""
        scores = self.found.scores or ()
        order = list(range(len(scores)))
        if not self.is_class or len(scores) <= _SHOWN_CLASSES:
            return order
        return sorted(order, key=lambda i: -scores[i])[:_SHOWN_CLASSES]

    @property
    def n_hidden(self) -> int:
        """How many outputs are not among those shown."""
        return len(self.found.scores or ()) - len(self.shown_outputs)


@dataclass(frozen=True)
class Effect:
    """A token, and by how much a score is higher with it than without it."""

    surface: str
    size: float


def strongest(explanation: Explanation, output: int, most: int) -> tuple[list[Effect], list[Effect]]:
    """Returns the tokens that raised a score most, and those that lowered it most, the strongest first."""
    effects = [Effect(token.surface, token.effects[output]) for token in explanation.tokens if token.effects]
    effects.sort(key=lambda effect: effect.size)
    raised = [effect for effect in reversed(effects[-most:]) if effect.size > 0]
    return raised, [effect for effect in effects[:most] if effect.size < 0]


def most_effect(explanation: Explanation) -> int | None:
    """Returns the output that the tokens move most, by the sum of their effects' sizes; None where none is known."""
    effects = [token.effects for token in explanation.tokens if token.effects]
    if not effects:
        return None
    totals = [sum(map(abs, of_output)) for of_output in zip(*effects, strict=True)]
    return totals.index(max(totals))
