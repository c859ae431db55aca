"""`saiten score --check`: a first look at the scores before a long run; writes nothing."""

from typing import TYPE_CHECKING

from saiten.model.counted import counted
from saiten.model.outputs import highest_outputs
from saiten.pipelines.local.choose_bundle import choose_bundle
from saiten.pipelines.local.launch import plan_scoring
from saiten.pipelines.local.settings import ScoreSettings
from saiten.pipelines.reading.read_range import first_records
from saiten.pipelines.records import ScoredBlock
from saiten.pipelines.run.output_directory import refuse_used
from saiten.pipelines.steps.encode import encode_block
from saiten.pipelines.steps.infer import score_block
from saiten.pipelines.terminal import make_console, say, short_id

if TYPE_CHECKING:
    from rich.console import Console

CHECKED_RECORDS = 100
_SHOWN_OUTPUTS = 12


def check_run(settings: ScoreSettings) -> int:
    """Checks bundle, inputs and output, and shows the scores of the first 100 records.

    Raises:
        UsageError: What `saiten score` would refuse.
        DamagedFileError: A file is damaged in its first records.
    """
    chosen = choose_bundle(settings)
    bundle, outputs = chosen.scoring, chosen.outputs
    if settings.output is not None:
        refuse_used(settings.output, overwrite=settings.overwrite, resume=settings.resume)
    plan = plan_scoring(settings, chosen)
    encoder, engine = bundle.load_encoder(), bundle.load_engine()
    scored = [score_block(encode_block(block, encoder), engine) for block in first_records(plan, CHECKED_RECORDS)]
    console = make_console()
    _print_scores(console, scored, outputs, chosen.n_labels)
    if len(outputs) > _SHOWN_OUTPUTS:
        hidden = len(outputs) - _SHOWN_OUTPUTS
        console.print(f"{counted(hidden, 'more output is', 'more outputs are')} not shown.")
    n_texts = sum(len(block.ids) for block in scored)
    n_dead = sum(len(block.dead_letters) for block in scored)
    n_empty = sum(int(block.is_empty.sum()) for block in scored)
    n_records = n_texts + n_dead
    which = "the first" if n_records == CHECKED_RECORDS else "all" if n_records > 1 else "the only"
    records = "record" if n_records == 1 else f"{n_records:,} records"
    say(
        f"{f'of {which} {records}' if n_records else 'the input has no records:'} "
        f"{n_texts - n_empty} scored, {n_empty} empty, "
        f"{counted(n_dead, 'dead letter')}; {counted(len(plan.files), 'file')} with {plan.total_bytes:,} bytes to "
        "score; nothing is written."
    )
    return 0


def _print_scores(console: "Console", scored: list[ScoredBlock], outputs: tuple[str, ...], n_labels: int) -> None:
    from saiten.pipelines.commands.pages.tables import Row, print_figures

    shown = outputs[:_SHOWN_OUTPUTS]
    labels = ["label"][:n_labels]
    rows = []
    for block in scored:
        highest = highest_outputs(block.scores, 1)[:, 0].tolist() if n_labels else []
        for i, record_id in enumerate(block.ids):
            empty = bool(block.is_empty[i])
            scores = ["-" if empty else f"{score:.3f}" for score in block.scores[i, : len(shown)]]
            label = ["-" if empty else outputs[highest[i]]] if n_labels else []
            counts = (str(block.n_tokens[i]), str(block.n_oov[i]))
            rows.append(Row([short_id(record_id)], [*scores, *label, *counts, "empty" if empty else ""]))
        no_scores = ["-"] * (len(shown) + len(labels) + 2)
        rows += [Row([short_id(letter.id)], [*no_scores, letter.code]) for letter in block.dead_letters]
    print_figures(console, ["id"], [*shown, *labels, "tokens", "OOV", ""], rows)
