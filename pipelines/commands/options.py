"""The flags of `saiten score`, and Beam's, which stand on the same line."""

import argparse
import contextlib
import io
from collections.abc import Sequence

from saiten.model.cores import available_cores
from saiten.model.errors import UsageError
from saiten.pipelines.commands.flags import known_flags, unknown_flag_message
from saiten.pipelines.quiet import quiet_libraries

# Beam's plain DirectRunner first tries to download a program; the in-process runner does not, so both mean that.
_DEFAULT_RUNNER = "FnApiRunner"
_LOCAL_RUNNERS = ("fnapi", "direct")

# A local run on less input than this is over before worker processes would have started.
_SMALL_INPUT_BYTES = 4 * 1024 * 1024
# A month: timers take no infinity.
_MAX_TIMEOUT_SECS = 30 * 24 * 3600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten score`."""
    parser.add_argument("--bundle", required=True, help="the bundle's directory")
    parser.add_argument("--output", help="the run's directory (not needed with --check)")
    add_input_arguments(parser)
    parser.add_argument("--id_field", help="field with the record's id (default: source:position)")
    parser.add_argument("--keep_fields", default="", help="fields to carry over, name or name:type, comma-separated")
    parser.add_argument("--engine", choices=["auto", "packed", "keras"], default="auto")
    parser.add_argument("--runner", default=_DEFAULT_RUNNER, help="a Beam runner (default: on this machine)")
    parser.add_argument("--workers", type=int, help="local worker processes (default: all cores)")
    parser.add_argument("--max_dead_letter_rate", type=float, default=0.01, help="above it nothing is committed")
    parser.add_argument("--allow_dead_letters", action="store_true", help="exit 0 although there are dead letters")
    parser.add_argument("--batch_timeout_secs", type=float, default=600.0, help="ends a run that hangs")
    parser.add_argument("--no_raw", action="store_true", help="dead letters without the record's bytes")
    parser.add_argument("--overwrite", action="store_true", help="replace the run in --output, once this one is whole")
    parser.add_argument("--resume", action="store_true", help="finish the unfinished run in --output")
    parser.add_argument("--check", action="store_true", help="score 100 records to the screen; write nothing")
    parser.add_argument("--trust_bundle", action="store_true", help="let through layers that Saiten does not build")
    parser.add_argument("--report_examples", action="store_true", help="texts of dead letters in the report")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument("--json", action="store_true", help="the summary as JSON on standard output")
    parser.add_argument(
        "--beam_option", action="append", default=[], metavar="NAME=VALUE", help="what only a job server knows"
    )


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that say what to read, the same for training and scoring."""
    parser.add_argument("--input", required=True, help="file, directory, glob or comma-separated list")
    parser.add_argument(
        "--input_format", default="auto", help="text, jsonl, csv, tsv or parquet (default: by the file's ending)"
    )
    parser.add_argument("--encoding", default="utf-8", help="utf-8, cp932, euc_jp or utf-16")
    parser.add_argument("--text_field", default="text", help="field with the text")
    parser.add_argument(
        "--max_record_bytes", type=int, default=10 * 1024 * 1024, help="longer records are dead letters"
    )


def check_arguments(args: argparse.Namespace) -> None:
    """Refuses flags that are out of range or don't go together.

    Raises:
        UsageError: In one sentence.
    """
    if args.output is None and not args.check:
        raise UsageError("--output is needed: the directory for the scores.")
    if args.overwrite and args.resume:
        raise UsageError("--overwrite starts anew and --resume goes on: give one of them.")
    check_dead_letter_rate(args.max_dead_letter_rate)
    if not 0 < args.batch_timeout_secs <= _MAX_TIMEOUT_SECS:
        raise UsageError(
            f"--batch_timeout_secs must be above 0 and at most {_MAX_TIMEOUT_SECS:,}, not {args.batch_timeout_secs:g}."
        )
    if args.workers is not None and args.workers < 1:
        raise UsageError(f"--workers must be 1 or more, not {args.workers}.")
    if args.workers is not None and not is_local(args.runner):
        raise UsageError(f"--workers is for local runs; {args.runner} has flags of its own for that.")


def check_dead_letter_rate(rate: float) -> None:
    """Refuses a rate that is no share, NaN included.

    Raises:
        UsageError: In one sentence.
    """
    if not 0 <= rate <= 1:
        raise UsageError(f"--max_dead_letter_rate is a share from 0 to 1, not {rate:g}.")


def is_local(runner: str) -> bool:
    """Tells whether a runner works on this machine; Beam takes its name in any case, with or without "Runner"."""
    return runner.lower().removesuffix("runner") in _LOCAL_RUNNERS


def count_workers(args: argparse.Namespace, n_bytes: int) -> int:
    """Returns how many processes a local run works in; 1 means that it works in this one."""
    if args.workers is not None:
        return int(args.workers)
    return 1 if n_bytes < _SMALL_INPUT_BYTES else available_cores()


def beam_flags(args: argparse.Namespace) -> list[str]:
    """Returns the flags on the command line that are Beam's.

    Raises:
        UsageError: A flag that neither Saiten nor Beam knows, with the nearest one that they do.
    """
    passed_on = [f"--{option}" for option in args.beam_option]
    _check_beam_flags(args.beam_flags, passed_on)
    return [*args.beam_flags, *passed_on]


def _check_beam_flags(flags: Sequence[str], passed_on: Sequence[str]) -> None:
    """Beam alone drops a misspelt flag without a word; of what is passed on it must like the values that it knows."""
    if not flags and not passed_on:
        return
    quiet_libraries()
    from apache_beam.options.pipeline_options import PipelineOptions

    parsers: list[argparse.ArgumentParser] = []
    PipelineOptions([]).get_all_options(add_extra_args_fn=parsers.append)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(io.StringIO()):
            parsers[0].parse_known_args(list(passed_on))
            _, unknown = parsers[0].parse_known_args(list(flags))
    except SystemExit as error:  # argparse has printed all flags, and what is wrong with one
        reason = printed.getvalue().strip().rpartition("error: ")[2] or "its help is no option of a run"
        raise UsageError(f"Beam: {reason}.") from error
    if unknown:
        own_parser = argparse.ArgumentParser()
        add_arguments(own_parser)
        raise UsageError(unknown_flag_message(unknown[0], [*known_flags(own_parser), *known_flags(parsers[0])]))
