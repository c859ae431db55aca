"""The flags of `saiten score`, and Beam's, which stand on the same line."""

import argparse
import contextlib
import dataclasses
import io
from collections.abc import Sequence

from saiten.model.errors import UsageError
from saiten.pipelines.commands.command_line.guesses import unknown_flag_message
from saiten.pipelines.commands.command_line.input_flags import (
    OTHER_FILES,
    add_format_arguments,
    add_id_argument,
    add_input_arguments,
)
from saiten.pipelines.commands.flags import (
    InPlaceOf,
    add_engine_argument,
    add_segmenter_argument,
    add_trust_argument,
    known_flags,
)
from saiten.pipelines.local.settings import ScoreSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten score`, first those that most runs get along with."""
    _add_usual_arguments(parser.add_argument_group("most runs need no more than these"))
    add_format_arguments(parser.add_argument_group(OTHER_FILES))
    _add_output_arguments(parser.add_argument_group("to say what is written"))
    _add_outcome_arguments(parser.add_argument_group("to say what counts as success"))
    _add_model_arguments(parser.add_argument_group("to choose how texts are scored"))
    _add_shown_arguments(parser.add_argument_group("to say what is shown"))
    _add_runner_arguments(parser.add_argument_group("to run elsewhere"))
    _add_streaming_arguments(parser.add_argument_group("to score what arrives, without end"))


def _add_usual_arguments(group: "argparse._ActionsContainer") -> None:
    add_input_arguments(group)
    add_id_argument(group)
    group.add_argument(
        "--keep_fields",
        metavar="FIELDS",
        default=ScoreSettings.keep_fields,
        help="fields to carry over beside the scores: name or name:type (int64, float64, bool, timestamp), commas "
        "between",
    )
    group.add_argument("--bundle", metavar="DIR", required=True, help="the model: what train or bundle has made")
    group.add_argument("--output", metavar="DIR", help="where to write the run, a new directory")
    group.add_argument(
        "--check", action="store_true", help="show the scores of the first 100 records; write nothing (no --output)"
    )
    group.add_argument("--resume", action="store_true", help="finish the unfinished run in --output")
    group.add_argument("--overwrite", action="store_true", help="replace the run in --output, once this one is whole")
    group.add_argument("--workers", type=int, help="processes on this machine (default: as many as cores)")


def _add_output_arguments(group: "argparse._ActionsContainer") -> None:
    group.add_argument(
        "--no_label", action="store_true", help="for classes: leave out label and label_score, the most probable one"
    )
    group.add_argument(
        "--top", type=int, default=ScoreSettings.top, help="for classes: the N most probable ones, as label_2 and so on"
    )
    group.add_argument("--no_raw", action="store_true", help="dead letters without the record's bytes")
    group.add_argument("--report_examples", action="store_true", help="show texts of dead letters in the report")


def _add_outcome_arguments(group: "argparse._ActionsContainer") -> None:
    group.add_argument(
        "--max_dead_letter_rate",
        metavar="SHARE",
        type=float,
        default=ScoreSettings.max_dead_letter_rate,
        help="the share of the records, from 0 to 1, that may be dead letters; above it nothing is committed, exit 4",
    )
    group.add_argument("--allow_dead_letters", action="store_true", help="exit 0, not 3, when there are some")
    group.add_argument(
        "--batch_timeout_secs",
        metavar="SECS",
        type=float,
        default=ScoreSettings.batch_timeout_secs,
        help="end the run when one batch of texts takes longer",
    )


def _add_model_arguments(group: "argparse._ActionsContainer") -> None:
    add_engine_argument(group)
    add_segmenter_argument(group)
    add_trust_argument(group)


def _add_shown_arguments(group: "argparse._ActionsContainer") -> None:
    group.add_argument("--quiet", action="store_true", help="show no progress")
    group.add_argument("--json", action="store_true", help="the summary as JSON on standard output")


def _add_runner_arguments(group: "argparse._ActionsContainer") -> None:
    group.add_argument(
        "--runner",
        metavar="NAME",
        default=ScoreSettings.runner,
        help="a Beam runner; give its own flags on the same line (default: FnApiRunner, on this machine)",
    )
    group.add_argument("--no_wait", action="store_true", help="end as soon as the runner has the job")
    group.add_argument(
        "--beam_option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option that only the runner's job server knows",
    )


def _add_streaming_arguments(group: "argparse._ActionsContainer") -> None:
    group.add_argument("--streaming", action="store_true", help="score files that arrive in --input")
    group.add_argument(
        "--subscription",
        action=InPlaceOf,
        other="input",
        metavar="NAME",
        help="score the messages of projects/PROJECT/subscriptions/NAME instead (Pub/Sub)",
    )
    for flag, metavar, help_text in (
        ("poll_secs", "SECS", "how often to look for new files and bundles"),
        ("window_secs", "SECS", "how much time each set of result files covers"),
        ("max_batch_wait_ms", "MS", "how long a message waits for others, at most"),
    ):
        default = getattr(ScoreSettings, flag)
        group.add_argument(f"--{flag}", metavar=metavar, type=float, default=default, help=help_text)
    group.add_argument("--bundle_watch", metavar="PATTERN", help="go over to a new bundle as soon as one appears there")


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
