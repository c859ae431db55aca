"""What a training does after a step and an epoch: it says how far it has come, and judges what was learned."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras

from saiten.model.errors import UsageError
from saiten.model.text.ragged import DoubleArray
from saiten.model.training.config import TrainingConfig
from saiten.model.training.watcher import EpochReport, TrainingWatcher


class ProgressReport(keras.callbacks.Callback):
    """Tells the watcher of every step."""

    def __init__(self, n_texts: int, config: TrainingConfig, watcher: TrainingWatcher) -> None:
        super().__init__()
        self._n_texts, self._config, self._watcher = n_texts, config, watcher
        self._n_done = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._n_done = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        done = min((batch + 1) * self._config.batch_size, self._n_texts)
        self._watcher.advance(done - self._n_done)
        self._n_done = done


class EpochJudge(ProgressReport):
    """Judges every epoch, and tells the watcher.

    Args:
        judge: Chooses the factors, and returns them with the held-out loss; None: the training's loss counts.

    Raises:
        UsageError: The loss is no longer finite.
    """

    def __init__(
        self,
        judge: Callable[[], tuple[DoubleArray, float]] | None,
        n_texts: int,
        config: TrainingConfig,
        watcher: TrainingWatcher,
    ) -> None:
        super().__init__(n_texts, config, watcher)
        self._judge = judge
        self._started = 0.0
        self.reports: list[EpochReport] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        super().on_epoch_begin(epoch)
        self._started = time.monotonic()
        self._watcher.begin(f"epoch {epoch + 1}", self._n_texts)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        loss = float(logs["loss"])
        held_out_loss = self._judge()[1] if self._judge else None
        judged = loss if held_out_loss is None else held_out_loss
        if not math.isfinite(loss) or not math.isfinite(judged):
            raise UsageError(
                f"The loss is {loss} in epoch {epoch + 1}; give a smaller --learning_rate than "
                f"{self._config.learning_rate}."
            )
        logs["judged"] = judged if self._judge else -epoch  # without held-out texts the last epoch is kept
        is_best = all(held_out_loss is None or judged < (report.held_out_loss or 0) for report in self.reports)
        self.reports.append(EpochReport(epoch + 1, loss, held_out_loss, is_best, time.monotonic() - self._started))
        self._watcher.end_epoch(self.reports[-1])


def judged_callbacks(config: TrainingConfig, *, has_held_out: bool) -> list[keras.callbacks.Callback]:
    """Returns what makes the steps smaller, ends the training and keeps the best epoch, by what `EpochJudge` says."""
    stop = keras.callbacks.EarlyStopping("judged", patience=config.patience, mode="min", restore_best_weights=True)
    if config.learning_rate_factor == 1 or not has_held_out:
        return [stop]
    factor = config.learning_rate_factor
    return [stop, keras.callbacks.ReduceLROnPlateau("judged", factor=factor, patience=1, mode="min", min_delta=0.0)]
