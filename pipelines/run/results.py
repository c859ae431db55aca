"""For readers of a run, in one line that holds also while another run replaces it.

>>> scores = read_scores("runs/june")  # doctest: +SKIP
"""

import pyarrow as pa
import pyarrow.parquet as pq

from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.run.layout import DEAD_LETTERS_FOLDER, SCORES_FOLDER
from saiten.pipelines.run.run_manifest import read_run_manifest


def read_scores(output: str, columns: list[str] | None = None) -> pa.Table:
    """Reads the scores of the committed run in a directory, local or remote.

    The parts are those that the manifest names: a reader that takes all files of the folder may
    see two runs at once while ``--overwrite`` replaces one.

    Args:
        output: The run's directory.
        columns: Only these; None reads all.

    Raises:
        UsageError: There is no committed run, but perhaps a bundle.
    """
    return _read(output, SCORES_FOLDER, columns)


def read_dead_letters(output: str, columns: list[str] | None = None) -> pa.Table:
    """Reads the dead letters of the committed run in a directory; see `read_scores`."""
    return _read(output, DEAD_LETTERS_FOLDER, columns)


def _read(output: str, folder: str, columns: list[str] | None) -> pa.Table:
    while True:
        manifest = read_run_manifest(output)
        if manifest is None:
            raise UsageError(f"{output} holds no committed run: it has no manifest.json.")
        try:
            return pa.concat_tables(_read_part(path, columns) for path in manifest.part_paths(output, folder))
        except Exception:
            # The parts go when another run takes their place; then its manifest is there already. On an object
            # store one may go while it is read, which each store's library says by an error of its own.
            now = read_run_manifest(output)
            if now is not None and now.run_id == manifest.run_id:
                raise


def _read_part(path: str, columns: list[str] | None) -> pa.Table:
    with storage.open_read(path) as file:
        return pq.read_table(file, columns=columns)
