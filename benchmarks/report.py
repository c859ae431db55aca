"""Measurements as tables: for the terminal, and as Markdown in docs/performance.md.

    python -m benchmarks.report RESULT.json [PAGE.md]

Prints the tables, or puts them between the page's two marks.
"""

import pathlib
import sys
from collections.abc import Iterable, Sequence

from benchmarks.parts.goals import Row, growth_trials, make_rows
from benchmarks.parts.measurements import Measurements
from saiten.model.errors import SaitenError, UsageError

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

_GOALS_HEAD = ("what", "measured how", "goal", "median", "min to max", "")
_GROWTH_HEAD = ("news.txt", "seconds", "seconds each", "a worker's peak", "the launcher's peak")
_STAGES_HEAD = ("stage", "us a token, articles", "us a token, sentences")

Table = list[tuple[str, ...]]


def goals_table(measured: Measurements) -> Table:
    """Returns the table of goals, a tuple a row, the head first."""
    return [_GOALS_HEAD, *map(_goal_cells, make_rows(measured))]


def growth_table(measured: Measurements) -> Table:
    """Returns how time and memory grow with the corpus, [] where that was not measured."""
    if "growth" not in measured.about["groups"]:
        return []
    lines = [
        (
            f"x {trial.times}",
            f"{measured.median(trial):.1f}",
            f"{measured.median(trial) / trial.times:.1f}",
            f"{measured.median(trial, 'worker_bytes') / 1e6:.0f} MB",
            f"{measured.median(trial, 'launcher_bytes') / 1e6:.0f} MB",
        )
        for trial in growth_trials(measured.about["workers"])
    ]
    return [_GROWTH_HEAD, *lines]


def stage_costs(measured: Measurements, corpus: str) -> dict[str, float]:
    """Returns microseconds a token by stage, in one process without Beam."""
    probe = measured.probes[f"stages {corpus}"]
    return {stage: 1e6 * probe["seconds"][stage] / probe["tokens"] for stage in probe["seconds"]}


def stages_table(measured: Measurements) -> Table:
    """Returns what each stage costs, [] where that was not measured."""
    if "stages" not in measured.about["groups"]:
        return []
    columns = [stage_costs(measured, corpus) for corpus in ("news", "sentences")]
    lines = [(stage, *(f"{costs[stage]:.2f}" for costs in columns)) for stage in columns[0]]
    return [_STAGES_HEAD, *lines, ("together", *(f"{sum(costs.values()):.2f}" for costs in columns))]


def sentences(measured: Measurements) -> list[str]:
    """Returns what is said in words: the machine, the largest difference of the engines."""
    about, machine = measured.about, measured.about["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    limit = f" Only the first {about['limit']:,} lines of each corpus." if about["limit"] else ""
    lines = [
        (
            f"Measured on {about['date']}: {machine['processor']}, {machine['cores']} cores, "
            f"{machine['memory_bytes'] / 2**30:.0f} GiB, {machine['system']}, Python {machine['python']}, {packages}. "
            f"{about['workers']} workers, {about['repeats']} rounds; load of the machine before: "
            f"{machine['load_before']}.{limit}"
        )
    ]
    for key, probe in measured.probes.items():
        name, _, corpus = key.partition(" ")
        if name == "difference":
            lines.append(
                f"Largest difference of the packed engine's scores from Keras' over {corpus}.txt: "
                f"{probe['largest_difference']:.1e} of {probe['scores']:,} scores up to {probe['largest_score']:.2f}."
            )
    return lines


def render_text(measured: Measurements) -> str:
    """Returns all tables for the terminal."""
    tables = [_align(table) for table in _tables(measured)]
    return "\n\n".join([*tables, *sentences(measured)])


def render_markdown(measured: Measurements) -> str:
    """Returns all tables as Markdown."""
    tables = [_pipe(table) for table in _tables(measured)]
    return "\n\n".join([*sentences(measured), *tables])


def fill_page(page: str, content: str) -> str:
    """Returns the page with the content between its marks.

    Raises:
        UsageError: The page lacks a mark.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"The page has no {BEGIN} with {END} behind it to put the tables between.")
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


def _tables(measured: Measurements) -> Iterable[Table]:
    tables = (goals_table(measured), growth_table(measured), stages_table(measured))
    return [table for table in tables if len(table) > 1]


def _goal_cells(row: Row) -> tuple[str, ...]:
    sign = "at least" if row.at_least else "at most"
    goal = f"{sign} {figure_text(row.limit, row.unit)}"
    if row.goal is not None:
        goal += f", goal {figure_text(row.goal, row.unit)}"
    spread = f"{figure_text(min(row.values), row.unit)} to {figure_text(max(row.values), row.unit)}"
    how = f"{row.measured} ({row.note})" if row.note else row.measured
    return row.what, how, goal, figure_text(row.median, row.unit), spread, row.verdict


def figure_text(value: float, unit: str) -> str:
    """Returns a figure with its unit, as the table shows it."""
    return f"{value:.0f} MB" if unit == "MB" else f"{value:.2f} {unit}"


def _align(table: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in table)


def _pipe(table: Sequence[Sequence[str]]) -> str:
    head, *lines = table
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines])


def main(arguments: Sequence[str]) -> int:
    """Prints the tables of a result, or puts them into a page; returns the exit code."""
    try:
        measured = Measurements.load(pathlib.Path(arguments[0]))
        if len(arguments) == 1:
            print(render_text(measured))
            return 0
        page = pathlib.Path(arguments[1])
        page.write_text(fill_page(page.read_text(encoding="utf-8"), render_markdown(measured)), encoding="utf-8")
    except SaitenError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m benchmarks.report RESULT.json [PAGE.md]")
    sys.exit(main(sys.argv[1:]))
