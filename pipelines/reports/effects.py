"""Which tokens of a text count most."""

from dataclasses import dataclass

from saiten.model.bundle.explain import Explanation


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
