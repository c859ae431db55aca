"""For readers of a run, in one line that holds also while another run replaces it."""

import os
from collections.abc import Sequence

import pyarrow as pa

from saiten.pipelines import storage
from saiten.pipelines.run.layout import DEAD_LETTERS_FOLDER, SCORES_FOLDER
from saiten.pipelines.run.parquet_part import opened_part
from saiten.pipelines.run.run_manifest import committed_manifest, read_run_manifest
from saiten.pipelines.run.schema import DEAD_LETTER_SCHEMA
from saiten.pipelines.run.windows.window_manifest import WindowManifest, Windows


def read_scores(run: str | os.PathLike[str], columns: list[str] | None = None) -> pa.Table:
    """Reads the scores of the committed run in a directory, local or remote, as a `pyarrow.Table`.

    >>> scores = saiten.read_scores("runs/june", columns=["id", "score_taste", "status"])
    >>> scores["status"].to_pylist()
    ['scored', 'empty', 'scored']

    The parts are those that the manifest names: a reader that takes all files of the folder may
    see two runs at once while ``--overwrite`` replaces one.

    Args:
        run: The run's directory.
        columns: Only these; None reads all.

    Raises:
        UsageError: There is no committed run, or it has no such column.
    """
    return _read(os.fspath(run), SCORES_FOLDER, columns)


def read_dead_letters(run: str | os.PathLike[str], columns: list[str] | None = None) -> pa.Table:
    """Reads the dead letters of the committed run in a directory; see `read_scores`.

    >>> saiten.read_dead_letters("runs/june", columns=["code", "position"]).to_pylist()
    [{'code': 'BAD_UNICODE', 'position': 387}]
    """
    return _read(os.fspath(run), DEAD_LETTERS_FOLDER, columns)


def _read(output: str, folder: str, columns: list[str] | None) -> pa.Table:
    # Asked for first: where a run has committed, it counts, and where none has, a stream may have written windows.
    manifest = read_run_manifest(output)
    if manifest is None:
        windows = list(Windows(output).new())
        if windows:
            return _read_windows(output, windows, folder, columns)
        manifest = committed_manifest(output)
    while True:
        try:
            return pa.concat_tables(_read_part(path, columns) for path in manifest.part_paths(output, folder))
        except Exception:
            # The parts go when another run takes their place; then its manifest is there already. On an object
            # store one may go while it is read, which each store's library says by an error of its own.
            now = committed_manifest(output)
            if now.run_id == manifest.run_id:
                raise
            manifest = now


def _read_windows(output: str, windows: Sequence[WindowManifest], folder: str, columns: list[str] | None) -> pa.Table:
    """Reads a stream's windows in the order of time; a window is never written again."""
    parts = [each.part.path for window in windows for each in window.parts]
    paths = [storage.join(output, path) for path in parts if path.startswith(f"{folder}/")]
    if not paths and folder == DEAD_LETTERS_FOLDER:
        empty = DEAD_LETTER_SCHEMA.empty_table()
        return empty.select(columns) if columns else empty
    return pa.concat_tables(_read_part(path, columns) for path in paths)


def _read_part(path: str, columns: list[str] | None) -> pa.Table:
    with opened_part(path, columns or ()) as part:
        return part.read(columns=columns, use_threads=False)
