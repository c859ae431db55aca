"""How texts came by their scores, in the terminal."""

from collections.abc import Sequence

from rich.console import Console

from saiten.model.bundle.explain import ExplainedToken
from saiten.model.counted import counted
from saiten.pipelines.commands.pages.tables import table
from saiten.pipelines.reports.effects import Effect, ExplainedText, strongest
from saiten.pipelines.terminal import escape, make_console, short_id

_SHOWN_TOKENS = 200
_SHOWN_CHARACTERS = 1_000
# What does not go to a terminal has no width.
_RULE_WIDTH = 80
_NAMED_TOKENS = 5
_FATES = {"oov": "[yellow]{} (OOV)[/]", "dropped": "[yellow]{} (OOV, dropped)[/]", "cut": "[dim]{} (cut)[/]"}
# Of the strongest effect: from so much on a token is coloured, and from so much on set in bold.
_COLOURED, _BOLD = 0.1, 0.5


def print_explanations(texts: Sequence[ExplainedText], outputs: Sequence[str], coloured: str | None) -> None:
    """Prints each text with its tokens, its scores and what made them.

    Args:
        coloured: The output by whose effects the text is coloured; None takes the class, or the one with most effect.
    """
    console = make_console()
    for i, text in enumerate(texts):
        if i:
            console.print("─" * min(console.width, _RULE_WIDTH))
        if text.id is not None:
            console.print(f"[bold]id[/]           {escape(short_id(text.id))}")
        _print_explanation(console, text, outputs, coloured)


def _print_explanation(console: Console, text: ExplainedText, outputs: Sequence[str], coloured: str | None) -> None:
    explanation = text.found
    form = explanation.normal_form
    rest = f" … and {len(form) - _SHOWN_CHARACTERS:,} characters more" if len(form) > _SHOWN_CHARACTERS else ""
    console.print(f"[bold]normal form[/]  {escape(form[:_SHOWN_CHARACTERS])}{rest}")
    tokens = explanation.tokens
    shown = [_FATES.get(token.fate, "{}").format(f"{escape(token.surface)} {token.shown_id}") for token in tokens]
    rest = _and_more(len(tokens))
    console.print(f"[bold]tokens[/]       {' | '.join(shown[:_SHOWN_TOKENS])}{rest}")
    console.print(
        f"[bold]length[/]       {counted(explanation.n_tokens, 'token')}, {explanation.n_oov:,} OOV (not known to the "
        f"model), {explanation.length:,} read by the model"
    )
    if explanation.scores is None:
        console.print("[bold]scores[/]       none: no token is left (status empty)")
        return
    if text.label is not None:
        probability = f"probability {explanation.scores[text.label]:.4f}"
        console.print(f"[bold]class[/]        {escape(outputs[text.label])}, {probability}")
    shown_scores = table(["output"], ["score"], ["raised by", "lowered by"])
    for i in text.shown_outputs:
        raised, lowered = strongest(explanation, i, _NAMED_TOKENS)
        shown_scores.add_row(escape(outputs[i]), f"{explanation.scores[i]:.6f}", _listed(raised), _listed(lowered))
    console.print(shown_scores)
    if text.n_hidden:
        console.print(f"[dim]These are the classes with the highest scores; --json has the other {text.n_hidden:,}.[/]")
    output = outputs.index(coloured) if coloured is not None else text.foremost
    if output is None or text.foremost is None:
        console.print("Nothing is left of this text without its only token: no effect can be told.")
        return
    _print_coloured(console, text, output, outputs[output])


def _print_coloured(console: Console, text: ExplainedText, output: int, name: str) -> None:
    tokens = text.found.tokens
    strongest_effect = max(abs(token.effects[output]) for token in tokens if token.effects)
    coloured_tokens = [_coloured(token, output, strongest_effect) for token in tokens[:_SHOWN_TOKENS]]
    rest = _and_more(len(tokens))
    console.print(f"[bold]{escape(name)}[/]  {' '.join(coloured_tokens)}{rest}")
    together = text.found.left_out_together
    neighbours = f"each {together} neighbouring tokens" if together > 1 else "each token"
    console.print(
        f"[dim]{neighbours[0].upper()}{neighbours[1:]} left out in turn (the text is scored without it, one shorter): "
        "[/][blue]blue[/][dim] raised the score, [/][red]red[/][dim] lowered it.[/]"
    )


def _and_more(n_tokens: int) -> str:
    return f" … and {n_tokens - _SHOWN_TOKENS:,} more" if n_tokens > _SHOWN_TOKENS else ""


def _listed(effects: Sequence[Effect]) -> str:
    return ", ".join(f"{escape(one.surface)} {one.size:+.3g}" for one in effects)


def _coloured(token: ExplainedToken, output: int, strongest_effect: float) -> str:
    surface = escape(token.surface)
    share = token.effects[output] / strongest_effect if token.effects and strongest_effect else 0.0
    if abs(share) < _COLOURED:
        return f"[dim]{surface}[/]"
    return f"[{'bold ' if abs(share) >= _BOLD else ''}{'blue' if share > 0 else 'red'}]{surface}[/]"
