"""How texts came by their scores, as a page."""

from collections.abc import Sequence

from saiten.model.bundle.explain import Explanation
from saiten.pipelines.reports.effects import most_effect, strongest
from saiten.pipelines.reports.page import render

_NAMED_TOKENS = 8
_SHOWN_TOKENS = 2_000


def explanation_report(explained: Sequence[tuple[str | None, Explanation]], outputs: Sequence[str]) -> bytes:
    """Returns the page; for each text its scores, what made them, and its tokens coloured by each output."""
    return render("explanation.html.jinja", texts=[_shown(name, one, outputs) for name, one in explained])


def _shown(name: str | None, explanation: Explanation, outputs: Sequence[str]) -> dict[str, object]:
    order = range(len(outputs)) if explanation.scores else ()
    first = most_effect(explanation)
    return {
        "name": name,
        "explanation": explanation,
        "rows": [(outputs[i], (explanation.scores or ())[i], *strongest(explanation, i, _NAMED_TOKENS)) for i in order],
        "coloured": [
            (outputs[i], _colours(explanation, i)) for i in sorted(order, key=lambda i: i != first) if first is not None
        ],
        "hidden": max(0, len(explanation.tokens) - _SHOWN_TOKENS),
    }


def _colours(explanation: Explanation, output: int) -> list[tuple[str, str, float, float]]:
    """Returns of each token its surface, its fate, its effect, and that as a share of the strongest."""
    effects = [token.effects[output] if token.effects else 0.0 for token in explanation.tokens]
    strongest_effect = max(map(abs, effects), default=0.0) or 1.0
    shown = list(zip(explanation.tokens, effects, strict=True))[:_SHOWN_TOKENS]
    return [(token.surface, token.fate, effect, effect / strongest_effect) for token, effect in shown]
