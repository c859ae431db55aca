"""Which flag was meant by an argument that no command knows."""

import difflib
import os
from collections.abc import Sequence

# What other tools call what a flag here does, by the flag; a command suggests only those that it has.
_CALLED_ELSEWHERE = {
    "--text_field": "text column col field body content text_column text_col",
    "--id_field": "id key id_column id_col index",
    "--label_fields": "label labels target targets y label_column label_columns",
    "--class_field": "class classes category class_column",
    "--keep_fields": "keep columns fields keep_columns extra include",
    "--input": "i in file files data path source src input_file input_files input_dir train_data dataset",
    "--output": "o out dest destination output_dir out_dir outdir save_dir to",
    "--bundle": "b m model model_dir model_path bundle_dir bundle_path checkpoint out output o output_dir",
    "--records": "n limit max_records num_records head sample rows first",
    "--moved": "n limit top k head rows",
    "--max_change": "threshold tolerance tol atol eps epsilon delta max_diff max_delta",
    "--min_metric": "threshold min_accuracy min_score",
    "--top": "k topk n_best",
    "--check": "n dry_run dryrun preview test head limit sample",
    "--overwrite": "f force replace clobber",
    "--resume": "continue restart",
    "--workers": "j n jobs n_jobs threads processes procs cores cpus num_workers n_workers parallel",
    "--epochs": "n_epochs num_epochs iterations",
    "--encoding": "charset enc codepage",
    "--input_format": "format type filetype delimiter sep separator input_type",
    "--validation_input": "test valid validation dev eval eval_data test_data validation_data",
    "--validation_fraction": "test_size split validation_split holdout",
    "--json": "j format output_format",
    "--html": "report page",
    "--allow_dead_letters": "ignore_errors skip_errors skip_bad",
}
_ALIKE = 0.65


def unknown_flag_message(argument: str, flags: Sequence[str]) -> str:
    """Returns one sentence about an argument that nothing knows, with the flag that was probably meant."""
    flag = argument.partition("=")[0]
    if not flag.startswith("-"):
        if meant := _flag_of_path(argument, flags):
            return f"The argument {argument!r} belongs to no flag; did you mean {meant}={argument}?"
        return f"The argument {flag!r} belongs to no flag; see --help, and put in quotes what holds spaces."
    meant = _meant(flag, flags)
    return f"There is no flag {flag}; {f'did you mean {meant}?' if meant else 'see --help.'}"


def _meant(flag: str, flags: Sequence[str]) -> str | None:
    """Returns the flag that does what others call so, is written nearly so, or begins with this."""
    name = flag.lstrip("-").lower().replace("-", "_")
    names = [known.lstrip("-").lower() for known in flags]
    called = (known for known, others in _CALLED_ELSEWHERE.items() if name in others.split() and known in flags)
    if name in names or (meant := next(called, None)) is None:
        near = difflib.get_close_matches(name, names, n=1, cutoff=_ALIKE)
        longer = sorted((its for its in names if its.startswith(f"{name}_")), key=len)
        meant = next((flags[names.index(its)] for its in (*near, *longer)), None)
    return meant


def _flag_of_path(path: str, flags: Sequence[str]) -> str | None:
    """Returns the flag that takes what lies at a path: a directory with a manifest is a bundle, or else input."""
    if not os.path.exists(path):
        return None
    is_bundle = os.path.exists(os.path.join(path, "manifest.json"))
    wanted = ("--bundle", "--input") if is_bundle else ("--input", "--bundle")
    return next((flag for flag in wanted if flag in flags), None)
