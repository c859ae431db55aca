"""Files scored from a Python program, in a process of its own: a hang, a crash or a signal ends that one alone.

`python -m saiten.pipelines.library.score_files PARENT_PID` is that process. It reads the settings as JSON from standard
input, and answers on standard output with the run's manifest, or with the error.
"""

import dataclasses
import functools
import inspect
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, ParamSpec

import msgspec

from saiten.model.errors import SaitenError, UsageError, error_of_kind
from saiten.pipelines.local.settings import ScoreSettings
from saiten.pipelines.local.worker import end_with_parent
from saiten.pipelines.quiet import quiet_libraries
from saiten.pipelines.run.run_manifest import RunManifest

Fields = ParamSpec("Fields")


def _taking_fields_of(
    make: Callable[Fields, ScoreSettings],
) -> Callable[[Callable[[ScoreSettings], RunManifest]], Callable[Fields, RunManifest]]:
    """Gives a function of settings their fields for arguments, for type checkers and `help` too."""

    def decorate(function: Callable[[ScoreSettings], RunManifest]) -> Callable[Fields, RunManifest]:
        @functools.wraps(function)
        def call(*args: Fields.args, **fields: Fields.kwargs) -> RunManifest:
            as_text: Any = {name: _without_path(value) for name, value in fields.items()}
            return function(make(*args, **as_text))

        signature = inspect.signature(make)
        call.__signature__ = signature.replace(return_annotation=RunManifest)  # type: ignore[attr-defined]
        return call

    return decorate


def _without_path(value: object) -> object:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


@_taking_fields_of(ScoreSettings)
def score_files(settings: ScoreSettings) -> RunManifest:
    """Scores files into a run: what `saiten score` does, with its flags for arguments.

    >>> run = saiten.score_files(input="reviews/*.jsonl", bundle="bundles/reviews", output="runs/may",
    ...                          id_field="id", max_dead_letter_rate=0.3)
    >>> run.counts.records, run.counts.scored, run.counts.empty, run.counts.dead
    (4, 2, 1, 1)

    ``input``, ``bundle`` and ``output`` are needed. The run goes on in a process of its own, without progress on the
    terminal; Ctrl-C ends it and raises `KeyboardInterrupt` here. Dead letters are no error as long as they are not
    more than ``max_dead_letter_rate``: look at ``counts.dead``.

    Returns:
        The run's manifest: its counts, its settings, the files it wrote.

    Raises:
        UsageError: A setting, the bundle, the input or the output is refused; nothing was done.
        DamagedFileError: An input file is truncated or damaged; nothing was committed.
        TooManyDeadLettersError: More records are dead letters than ``max_dead_letter_rate`` allows.
        CountMismatchError: The counts do not add up; nothing was committed.
        SaitenError: The run failed otherwise; nothing was committed, unless the message says so.
    """
    if settings.no_wait or settings.streaming:
        raise UsageError(
            "score_files waits for what it returns: no_wait and streaming are for the command, saiten score."
        )
    settings = dataclasses.replace(settings, output=settings.run_directory, quiet=True)
    # -P: what lies in the folder where the program stands is not on the path of the process, whatever it is called.
    command = [sys.executable, "-P", "-m", __name__, str(os.getpid())]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    # In a session of its own: Ctrl-C at the terminal comes to this process alone, which hands it on once.
    with subprocess.Popen(command, **pipes, text=True, start_new_session=True) as process:
        try:
            answer, said = process.communicate(json.dumps(dataclasses.asdict(settings)))
        except BaseException:
            process.send_signal(signal.SIGINT)
            raise
    if not answer:
        raise SaitenError(_last_words(process.returncode, said))
    found = json.loads(answer)
    if "error" in found:
        raise error_of_kind(found["error"], found["message"])
    return msgspec.convert(found, RunManifest)


def _last_words(exit_code: int, said: str) -> str:
    """What a process said that ended without an answer."""
    if exit_code < 0:
        return f"The process that scored was killed by signal {-exit_code}; resume=True goes on from here."
    return (
        said.strip().rpartition("\n")[2].removeprefix("saiten: ") or f"The process that scored ended with {exit_code}."
    )


def main() -> None:
    """Scores in this process, and answers on standard output."""
    quiet_libraries()
    threading.Thread(target=end_with_parent, args=(int(sys.argv[1]),), daemon=True).start()
    fields = json.load(sys.stdin)
    try:
        settings = ScoreSettings(**{**fields, "beam_flags": tuple(fields["beam_flags"])})
        from saiten.pipelines.commands.score_flags import check_beam_flags
        from saiten.pipelines.local.launch import launch_run

        check_beam_flags(settings.beam_flags, ())
        manifest = launch_run(settings)
        answer = dataclasses.asdict(manifest) if manifest else {}
    except SaitenError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    except OSError as error:
        answer = {"error": SaitenError.__name__, "message": f"{error}."}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
