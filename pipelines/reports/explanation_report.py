"""How texts came by their scores, as a page."""

from collections.abc import Sequence

from saiten.model.bundle.explain import Explanation
from saiten.pipelines.reports.effects import ExplainedText, strongest
from saiten.pipelines.reports.page import render

_NAMED_TOKENS = 8
_SHOWN_TOKENS = 2_000


def explanation_report(texts: Sequence[ExplainedText], outputs: Sequence[str]) -> bytes:
    """Returns the page; for each text its scores, what made them, and its tokens coloured by each output."""
    return render("explanation.html.jinja", texts=[_shown(text, outputs) for text in texts])


def _shown(text: ExplainedText, outputs: Sequence[str]) -> dict[str, object]:
    explanation, order, first, label = text.found, text.shown_outputs, text.foremost, text.label
    scores = explanation.scores or ()
    return {
        "name": text.id,
        "explanation": explanation,
        "label": None if label is None else (outputs[label], scores[label]),
        "rows": [(outputs[i], scores[i], *strongest(explanation, i, _NAMED_TOKENS)) for i in order],
        "coloured": [
            (outputs[i], _colours(explanation, i)) for i in sorted(order, key=lambda i: i != first) if first is not None
        ],
        "n_hidden": text.n_hidden,
        "hidden": max(0, len(explanation.tokens) - _SHOWN_TOKENS),
    }


def _colours(explanation: Explanation, output: int) -> list[tuple[str, str, float, float]]:
    """Returns of each token its surface, its fate, its effect, and that as a share of the strongest."""
    effects = [token.effects[output] if token.effects else 0.0 for token in explanation.tokens]
    strongest_effect = max(map(abs, effects), default=0.0) or 1.0
    shown = list(zip(explanation.tokens, effects, strict=True))[:_SHOWN_TOKENS]
    return [(token.surface, token.fate, effect, effect / strongest_effect) for token, effect in shown]
