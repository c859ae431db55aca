"""`--html=FILE`: a page for the browser, beside what is printed."""

import pathlib
import tempfile

from saiten.model.errors import UsageError
from saiten.pipelines import storage


def refuse_unwritable(path: str | None) -> None:
    """Refuses a file that cannot be written; commands ask before they work. On an object store only writing tells.

    Args:
        path: Of ``--html``; None where no page is wanted.

    Raises:
        UsageError: In one sentence.
    """
    if path is None or storage.is_remote(path):
        return
    file = pathlib.Path(path)
    if not path or file.is_dir():
        raise UsageError(f"--html={path} is no file: give a name for the page, such as --html=page.html.")
    above = next(each for each in file.absolute().parents if each.exists())
    if not above.is_dir():
        raise UsageError(f"--html={path} cannot be written: {above} is a file; give another file.")
    try:
        storage.make_folder(file.parent)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def write_page(path: str, content: bytes) -> None:
    """Writes the page whole.

    Raises:
        UsageError: It cannot be written.
    """
    try:
        storage.write_atomic(path, content)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: str, error: OSError) -> UsageError:
    return UsageError(f"--html={path} cannot be written: {error.strerror or error}; give another file.")
