"""The flags of `saiten score`, and Beam's, which stand on the same line."""

import argparse
import contextlib
import dataclasses
import io
from collections.abc import Sequence

from saiten.model.errors import UsageError
from saiten.pipelines.commands.flags import InPlaceOf, add_segmenter_argument, known_flags, unknown_flag_message
from saiten.pipelines.defaults import MAX_RECORD_BYTES
from saiten.pipelines.local.settings import ScoreSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten score`."""
    _add_reading_arguments(parser.add_argument_group("what to score"))
    _add_bundle_arguments(parser.add_argument_group("with what"))
    _add_output_arguments(parser.add_argument_group("what to write"))
    _add_outcome_arguments(parser.add_argument_group("what counts as success"))
    _add_running_arguments(parser.add_argument_group("how to run"))
    _add_streaming_arguments(parser.add_argument_group("input without end"))


def add_input_arguments(group: "argparse._ActionsContainer", *, is_required: bool = True) -> None:
    """Adds the flags that say what to read, the same for training and scoring."""
    group.add_argument(
        "--input", metavar="FILES", required=is_required, help="file, directory, glob, or a list with commas between"
    )
    group.add_argument(
        "--input_format",
        metavar="FORMAT",
        default=ScoreSettings.input_format,
        help="text (a line a record), jsonl, csv, tsv or parquet (default: by the file's ending)",
    )
    group.add_argument(
        "--encoding", metavar="NAME", default=ScoreSettings.encoding, help="utf-8, cp932, euc_jp or utf-16"
    )
    group.add_argument(
        "--quoting",
        metavar="csv|none",
        default=ScoreSettings.quoting,
        help="whether quotes quote (default: in CSV, not in TSV)",
    )
    group.add_argument("--text_field", metavar="FIELD", help="the text, where there are fields (default: text)")
    group.add_argument(
        "--max_record_bytes",
        metavar="BYTES",
        type=int,
        default=ScoreSettings.max_record_bytes,
        help=f"longer records are dead letters (default: {MAX_RECORD_BYTES}, {MAX_RECORD_BYTES >> 20} MiB)",
    )
    group.add_argument(
        "--table_files", action="store_true", help="the files of a Delta or Iceberg table as they are, removed ones too"
    )


def add_trust_argument(group: "argparse._ActionsContainer") -> None:
    """Adds the flag that lets through a bundle's strange layers."""
    group.add_argument("--trust_bundle", action="store_true", help="let through layers that Saiten does not build")


def add_engine_argument(group: "argparse._ActionsContainer") -> None:
    """Adds the flag that chooses the engine."""
    group.add_argument(
        "--engine",
        choices=["auto", "packed", "keras"],
        default=ScoreSettings.engine,
        help="what scores; auto: packed, without TensorFlow, where the bundle has it",
    )


def _add_reading_arguments(group: "argparse._ActionsContainer") -> None:
    add_input_arguments(group)
    group.add_argument("--id_field", metavar="FIELD", help="the record's id (default: source:position)")


def _add_bundle_arguments(group: "argparse._ActionsContainer") -> None:
    group.add_argument("--bundle", metavar="DIR", required=True, help="the bundle's directory")
    add_engine_argument(group)
    add_segmenter_argument(group)
    add_trust_argument(group)


def _add_output_arguments(group: "argparse._ActionsContainer") -> None:
    group.add_argument("--output", metavar="DIR", help="the run's directory (not needed with --check)")
    group.add_argument(
        "--keep_fields",
        metavar="FIELDS",
        default=ScoreSettings.keep_fields,
        help="fields to carry over, name or name:type (int64, float64, bool, timestamp), commas between",
    )
    group.add_argument(
        "--no_label", action="store_true", help="for classes: without label and label_score, the highest one"
    )
    group.add_argument(
        "--top", type=int, default=ScoreSettings.top, help="for classes: the N highest, as label_2 and so on too"
    )
    group.add_argument("--no_raw", action="store_true", help="dead letters without the record's bytes")
    group.add_argument("--report_examples", action="store_true", help="texts of dead letters in the report")
    group.add_argument("--overwrite", action="store_true", help="replace the run in --output, once this one is whole")
    group.add_argument("--resume", action="store_true", help="finish the unfinished run in --output")


def _add_outcome_arguments(group: "argparse._ActionsContainer") -> None:
    group.add_argument(
        "--max_dead_letter_rate",
        metavar="SHARE",
        type=float,
        default=ScoreSettings.max_dead_letter_rate,
        help="from 0 to 1; above it nothing is committed, exit 4",
    )
    group.add_argument("--allow_dead_letters", action="store_true", help="exit 0, not 3, although there are some")
    group.add_argument(
        "--batch_timeout_secs",
        metavar="SECS",
        type=float,
        default=ScoreSettings.batch_timeout_secs,
        help="a batch that takes more seconds ends the run",
    )


def _add_running_arguments(group: "argparse._ActionsContainer") -> None:
    group.add_argument("--check", action="store_true", help="score 100 records to the screen; write nothing")
    group.add_argument("--workers", type=int, help="local worker processes (default: all cores)")
    group.add_argument(
        "--runner",
        metavar="NAME",
        default=ScoreSettings.runner,
        help="a Beam runner; its own flags stand on the same line (default: FnApiRunner, on this machine)",
    )
    group.add_argument("--no_wait", action="store_true", help="with a runner elsewhere: end when it has the job")
    group.add_argument(
        "--beam_option", action="append", default=[], metavar="NAME=VALUE", help="what only a job server knows"
    )
    group.add_argument("--quiet", action="store_true", help="no progress")
    group.add_argument("--json", action="store_true", help="the summary as JSON on standard output")


def _add_streaming_arguments(group: "argparse._ActionsContainer") -> None:
    group.add_argument("--streaming", action="store_true", help="score what arrives in --input, without end")
    group.add_argument(
        "--subscription",
        action=InPlaceOf,
        other="input",
        metavar="NAME",
        help="instead: messages of projects/PROJECT/subscriptions/NAME",
    )
    for flag, metavar, help_text in (
        ("poll_secs", "SECS", "how often files and bundles are looked for"),
        ("window_secs", "SECS", "how much time a set of files covers"),
        ("max_batch_wait_ms", "MS", "how long a message waits for others at most"),
    ):
        default = getattr(ScoreSettings, flag)
        group.add_argument(f"--{flag}", metavar=metavar, type=float, default=default, help=help_text)
    group.add_argument("--bundle_watch", metavar="PATTERN", help="go over to a bundle that appears there")


def without_values_of_switches(arguments: Sequence[str]) -> list[str]:
    """Returns arguments as they stand on a command line: a template gives a switch, too, as a parameter with a value.

    >>> without_values_of_switches(["--resume=true", "--no_raw=false", "--top=2"])
    ['--resume', '--top=2']
    """
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    switches = {flag for action in parser._actions if action.nargs == 0 for flag in action.option_strings}  # noqa: SLF001
    found = []
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        if not equals or flag not in switches:
            found.append(argument)
        elif value.lower() == "true":
            found.append(flag)
    return found


def read_settings(args: argparse.Namespace) -> ScoreSettings:
    """Returns what the flags of `saiten score` ask for.

    Raises:
        UsageError: A flag is out of range, does not go with another, or is one that nothing knows.
    """
    named = {field.name for field in dataclasses.fields(ScoreSettings)} - {"beam_flags"}
    given = {name: value for name, value in vars(args).items() if name in named}
    given["input"] = given["input"] or ""
    return ScoreSettings(**given, beam_flags=tuple(beam_flags(args)))


def beam_flags(args: argparse.Namespace) -> list[str]:
    """Returns the flags on the command line that are Beam's.

    Raises:
        UsageError: A flag that neither Saiten nor Beam knows, with the nearest one that they do.
    """
    passed_on = [f"--{option}" for option in args.beam_option]
    check_beam_flags(args.beam_flags, passed_on)
    return [*args.beam_flags, *passed_on]


def check_beam_flags(flags: Sequence[str], passed_on: Sequence[str]) -> None:
    """Refuses flags that Beam does not know, which it would drop, and values that it does not like.

    Args:
        flags: Each has to be one of Beam's.
        passed_on: May be a job server's own.

    Raises:
        UsageError: With the nearest flag that there is.
    """
    if not flags and not passed_on:
        return
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
