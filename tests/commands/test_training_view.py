"""What a training shows: a line for each stage and epoch, whether or not there is a terminal."""

import io

import pytest
from rich.console import Console

from saiten.model.training.watcher import EpochReport
from saiten.pipelines.commands.training.view import TrainingView, print_metrics


class Clock:
    """Moves on a second each time it is asked."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def _show(console: Console) -> None:
    with TrainingView(console, Clock()) as view:
        view.begin("segmenting", None)
        view.advance(1_500)
        view.advance(500)
        view.begin("epoch 1 of 2", 1_800)
        view.advance(1_800)
        view.end_epoch(EpochReport(1, 0.5, 0.4, is_best=True, seconds=2.25))
        view.begin("epoch 2 of 2", 1_800)
        view.end_epoch(EpochReport(2, 0.25, 0.45, is_best=False, seconds=2.0))
        view.begin("writing", None)


LINES = [
    "segmenting: 2,000 (1.0 s)",
    "epoch 1 of 2: loss 0.5000, held out 0.4000 * (2.2 s)",
    "epoch 2 of 2: loss 0.2500, held out 0.4500 (2.0 s)",
    "writing (1.0 s)",
]


def test_without_a_terminal_every_stage_and_epoch_is_one_line() -> None:
    out = io.StringIO()
    _show(Console(file=out))
    assert out.getvalue().splitlines() == LINES


def test_a_terminal_gets_a_bar_above_the_same_lines() -> None:
    out = io.StringIO()
    _show(Console(file=out, force_terminal=True, width=100, color_system=None))
    shown = out.getvalue()
    assert [line for line in LINES if line in shown] == LINES
    assert "\x1b[" in shown


def test_a_stage_that_failed_is_not_told_as_done() -> None:
    out = io.StringIO()
    view = TrainingView(Console(file=out), Clock())

    def fail() -> None:
        with view:
            view.begin("segmenting", None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert out.getvalue() == ""


def test_metrics_are_a_table_with_a_row_for_each_label() -> None:
    values = {"mse": 0.0123456, "mae": 0.1, "spearman": 0.87654}
    metrics = {"texts": 1_234, "accuracy": 0.9, "outputs": {"taste": values, "price": {**values, "spearman": None}}}
    out = io.StringIO()
    print_metrics(Console(file=out, width=80), metrics)
    rows = [line.split() for line in out.getvalue().splitlines()]
    assert rows[0] == ["1,234", "held-out", "texts,", "accuracy", "0.900"]
    assert ["taste", "0.01235", "0.1", "0.877"] in rows
    assert ["price", "0.01235", "0.1", "-"] in rows


def test_the_metrics_of_classes_are_one_row() -> None:
    metrics = {"texts": 9, "accuracy": 0.9, "macro_f1": 0.85, "log_loss": 0.5, "calibration_error": 0.0321}
    out = io.StringIO()
    print_metrics(Console(file=out, width=80), metrics)
    rows = [line.split() for line in out.getvalue().splitlines()]
    assert rows[0] == ["9", "held-out", "texts"]
    assert rows[1:3] == [["log", "calibration"], ["accuracy", "macro-F1", "loss", "error"]]
    assert ["0.900", "0.850", "0.500", "0.032"] in rows


@pytest.mark.parametrize("label", ["score[taste]", "[/a]", ":smile:", "a\x1b[31mb"])
def test_a_label_is_shown_as_it_is_whatever_a_terminal_would_make_of_it(label: str) -> None:
    metrics = {"texts": 1, "outputs": {label: {"mse": 1.0, "mae": 1.0, "spearman": None}}}
    out = io.StringIO()
    print_metrics(Console(file=out, width=80), metrics)
    assert label.replace("\x1b", "\\x1b") in out.getvalue()
