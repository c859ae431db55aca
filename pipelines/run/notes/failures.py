"""How an error in a worker reaches the person at the launcher as one sentence.

Beam hands the launcher an exception's traceback as text, and on some runners nothing at all.
So a worker leaves a small file in the run's work folder before it raises.
"""

import os
import pathlib
import traceback
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from saiten.model.errors import SaitenError, error_of_kind
from saiten.pipelines import storage
from saiten.pipelines.run.json_file import read_json, to_json

_PREFIX = "failure-"


@dataclass(frozen=True, order=True)
class _Failure:
    """An error as a worker leaves it; the gravest is the largest."""

    exit_code: int
    message: str
    kind: str


class FencedOffError(SaitenError):
    """A job is no longer its output directory's owner's: nobody is there to hear of it."""


@dataclass(frozen=True)
class FailureReports:
    """The failures of a run's workers; travels with the steps.

    Attributes:
        folder: The run's work folder.
    """

    folder: str

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Leaves a report of an error that passes through, and lets it pass."""
        try:
            yield
        except FencedOffError:
            raise
        except (SaitenError, OSError) as error:
            self.write(error)
            raise
        except Exception as error:
            self.write(_unforeseen(error))
            raise

    def write(self, error: SaitenError | OSError) -> None:
        """Leaves a report of an error, where the run's work folder is still there: it goes with the commit."""
        if not (storage.is_remote(self.folder) or os.path.isdir(self.folder)):
            return
        kind = type(error) if isinstance(error, SaitenError) else SaitenError
        path = storage.join(self.folder, f"{_PREFIX}{uuid.uuid4().hex}.json")
        with suppress(OSError):  # a full disk takes no report either
            storage.write_atomic(path, to_json(_Failure(kind.exit_code, _sentence(error), kind.__name__)))

    def gravest(self) -> SaitenError | None:
        """Returns the error that a worker reported, the one with the highest exit code; None where none did."""
        failures = [read_json(path, _Failure) for path in storage.list_named(self.folder, _PREFIX)]
        worst = max(filter(None, failures), default=None)
        return error_of_kind(worst.kind, worst.message) if worst else None


def _unforeseen(error: Exception) -> SaitenError:
    """Names an error that nobody foresaw by its kind and place: its words may hold a record's text."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return SaitenError(
        f"A worker failed with {type(error).__name__} at {pathlib.Path(place.filename).name}:{place.lineno}, which is "
        "a fault of the program's: --resume goes on from here, but may well meet it again."
    )


def _sentence(error: SaitenError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{storage.what_failed(error)}; --resume goes on from here."
    return str(error)
