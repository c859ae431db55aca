"""One Parquet file of a run, visible only when it is whole, and found whole later."""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines import storage
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.range_summary import Part

_ROW_GROUP_ROWS = 64 * 1024
# Dead letters may carry 64 KiB each: a row group ends early where rows are that large.
_ROW_GROUP_BYTES = 32 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024


class PartWriter:
    """Writes one Parquet file, visible only when it is whole.

    Args:
        run: Whose part it is.
        name: Its path below the output directory.
        schema: With the metadata that the file carries.

    Attributes:
        schema: The same.
    """

    def __init__(self, run: Run, name: str, schema: pa.Schema) -> None:
        self._name = name
        self.schema = schema
        self._stack = contextlib.ExitStack()
        file = self._stack.enter_context(storage.open_atomic(storage.join(run.output, name)))
        self._sink = _HashingSink(file)
        self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd")
        self._waiting: list[pa.Table] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        """Adds rows; they are written a row group at a time."""
        self._waiting.append(table)
        self._waiting_rows += table.num_rows
        self._waiting_bytes += table.nbytes
        if self._waiting_rows >= _ROW_GROUP_ROWS or self._waiting_bytes >= _ROW_GROUP_BYTES:
            self._flush()

    def close(self) -> Part:
        """Makes the file visible and durable.

        Raises:
            OSError: It could not be written whole; nothing is visible then.
        """
        with self._stack:
            if self._waiting_rows or not self._rows:
                self._flush()
            self._writer.close()
        return Part(self._name, self._rows, self._sink.size, self._sink.hash.hexdigest())

    def abandon(self) -> None:
        """Gives the file up: nothing becomes visible."""
        with contextlib.suppress(_AbandonedError, OSError), self._stack:
            self._writer.close()  # it would write its footer later, to a file that is gone
            raise _AbandonedError

    def _flush(self) -> None:
        table = pa.concat_tables(self._waiting) if self._waiting else self.schema.empty_table()
        self._writer.write_table(table, row_group_size=_ROW_GROUP_ROWS)
        self._rows += table.num_rows
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0


def check_part(output: str, part: Part, *, to_the_byte: bool = False) -> None:
    """Makes sure that a part lies in the output directory as it was written.

    Args:
        to_the_byte: Reads all of it, to compare its hash; else its rows and size must do.

    Raises:
        SaitenError: It is not there, or is not what was written.
    """
    path = storage.join(output, part.path)
    try:
        with storage.open_read(path) as file:
            rows, n_bytes = pq.ParquetFile(file).metadata.num_rows, file.seek(0, os.SEEK_END)
            sha256 = _sha256_of(file) if to_the_byte else part.sha256
    except FileNotFoundError as error:
        raise SaitenError(f"{path} was written, but is gone.") from error
    except (OSError, ValueError) as error:
        raise SaitenError(f"{path} was written, but cannot be read back: {error}.") from error
    if rows != part.rows:
        raise SaitenError(f"{path} holds {rows} rows, not the {part.rows} that were written.")
    if (n_bytes, sha256) != (part.bytes, part.sha256):
        raise SaitenError(f"{path} holds other bytes than the {part.bytes} that were written.")


@contextlib.contextmanager
def opened_part(path: str, columns: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """Opens a part of a committed run, which may have been damaged or copied by halves since.

    Args:
        path: Of the part.
        columns: That it must have: Arrow leaves out without a word what is not there.

    Raises:
        MissingColumnError: It lacks a column.
        SaitenError: It is gone or damaged; also from within the block, as it is read.
    """
    try:
        with storage.open_read(path) as file:
            # No thread of Arrow's reads: one that still did when Python ends would end the process with an error.
            part = pq.ParquetFile(file, pre_buffer=False)
            for name in columns:
                if name not in part.schema_arrow.names:
                    raise MissingColumnError(path, name, part.schema_arrow.names)
            yield part
    except FileNotFoundError as error:
        raise SaitenError(
            f"{path} is gone, which the run's manifest names: copy the run again, or score anew."
        ) from error
    except (pa.ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise SaitenError(f"{path} is damaged ({why:.150}): copy the run again, or score anew.") from error


def _sha256_of(file: IO[bytes]) -> str:
    file.seek(0)
    sha256 = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        sha256.update(piece)
    return sha256.hexdigest()


class MissingColumnError(UsageError):
    """A part has no column of that name.

    Attributes:
        name: The column that was asked for.
    """

    def __init__(self, path: str, name: str, names: Sequence[str]) -> None:
        super().__init__(f"{path} has no column {name!r}; it has {', '.join(names)}.")
        self.name = name


class _AbandonedError(Exception):
    """Unwinds an open part on purpose."""


class _HashingSink:
    """A file that knows the size and sha256 of what went through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        if self._file.closed:  # a writer that was left open, when the reading failed, writes its footer as it goes
            return len(data)
        self.hash.update(data)
        self.size += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True
