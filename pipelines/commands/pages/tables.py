"""How tables look in the terminal: the same in every command, and never wider than it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from saiten.pipelines.terminal import escape_controls

_GAP = 2
_MAX_NAME_WIDTH = 40
# What was looked at and found good, worth a look, or bad.
GOOD, LOOK, BAD = "[green]✓[/]", "[yellow]![/]", "[red]✗[/]"


@dataclass(frozen=True)
class Row:
    """A row: names on the left, figures on the right; a figure may have several lines."""

    names: Sequence[str]
    figures: Sequence[str]


def table(names: Sequence[str], figures: Sequence[str] = (), notes: Sequence[str] = ()) -> Table:
    """Returns a table without rows: names, figures that stand at the right of their columns, and what is said of them.

    Headings are shown as they are; cells may have rich's markup.
    """
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _GAP - 1, 0, 0))
    for name in names:
        made.add_column(_as_it_is(name), overflow="fold")
    for name in figures:
        made.add_column(_as_it_is(name), justify="right", overflow="fold")
    for name in notes:
        made.add_column(_as_it_is(name), overflow="fold")
    return made


def print_figures(
    console: Console, names: Sequence[str], figures: Sequence[str], rows: Iterable[Row], title: str = ""
) -> None:
    """Prints rows; what does not fit beside the rest follows below, with the names again."""
    rows = list(rows)
    if title:
        console.print(_as_it_is(title), style="bold", soft_wrap=True)
    taken = sum(
        min(_MAX_NAME_WIDTH, _width([name, *(row.names[i] for row in rows)])) + _GAP for i, name in enumerate(names)
    )
    # A heading may be broken between words, a figure only where it has lines.
    widths = [_width([*name.split(" "), *(row.figures[i] for row in rows)]) for i, name in enumerate(figures)]
    for place, chosen in enumerate(_side_by_side(widths, console.width - taken)):
        if place:
            console.print()
        made = table(names, [figures[i] for i in chosen])
        for column, i in zip(made.columns[len(names) :], chosen, strict=True):
            column.width = widths[i]
        for column in made.columns[: len(names)]:
            column.max_width = _MAX_NAME_WIDTH
        for row in rows:
            made.add_row(*map(_as_it_is, row.names), *(_as_it_is(row.figures[i]) for i in chosen))
        console.print(made)


def facts(rows: Iterable[tuple[str, str, str]], name_width: int | None = None) -> Table:
    """Returns what was found, a line each: a mark or ``""``, a name or ``""``, and what is said of it.

    Args:
        name_width: Where rows are printed one by one.
    """
    rows = list(rows)
    has_marks, has_names = any(mark for mark, _, _ in rows), any(name for _, name, _ in rows)
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    if has_marks:
        grid.add_column(width=1)
    if has_names:
        grid.add_column(style="bold", no_wrap=True, max_width=_MAX_NAME_WIDTH, width=name_width)
    grid.add_column(overflow="fold")
    for mark, name, said in rows:
        grid.add_row(*[mark] * has_marks, *[_as_it_is(name)] * has_names, _as_it_is(said))
    return grid


def _as_it_is(cell: str) -> Text:
    """Whatever a terminal, or rich, would make of it."""
    return Text("\n".join(map(escape_controls, cell.split("\n"))))


def _width(cells: Sequence[str]) -> int:
    return max(cell_len(escape_controls(line)) for cell in cells for line in cell.split("\n"))


def _side_by_side(widths: Sequence[int], room: int) -> Iterable[list[int]]:
    """Yields the figures of each table; one at least, and nothing but names where there is none."""
    chosen: list[int] = []
    used = 0
    for i, width in enumerate(widths):
        if chosen and used + width > room:
            yield chosen
            chosen, used = [], 0
        chosen.append(i)
        used += width + _GAP
    yield chosen
