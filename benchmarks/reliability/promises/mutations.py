"""Archives and Parquet files cut, or flipped at a random bit: none succeeds with fewer records than the whole file."""

import bz2
import gzip
import io
import lzma
import pathlib
import random
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reliability.bench import Bench
from benchmarks.reliability.outcome import BrokenPromiseError, Outcome, promise
from saiten.model.errors import SaitenError
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks

_RECORDS = 500


def mutated(whole: bytes, rng: random.Random) -> bytes:
    """Returns the bytes cut, or with one bit flipped, at a random place."""
    place = rng.randrange(len(whole))
    if rng.random() < 0.5:
        return whole[:place]
    return whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :]


def _zstd(content: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


def _parquet(content: bytes) -> bytes:
    sink = io.BytesIO()
    table = pa.table({"text": content.decode().splitlines()})
    pq.write_table(table, sink, row_group_size=100, write_page_checksum=True)
    return sink.getvalue()


_MAKERS: dict[str, Callable[[bytes], bytes]] = {
    "txt.gz": gzip.compress,
    "txt.bz2": bz2.compress,
    "txt.xz": lzma.compress,
    "txt.zst": _zstd,
    "parquet": _parquet,
}


def check_mutation(path: pathlib.Path, content: bytes, outcome: Outcome) -> None:
    """Reads a mutated file.

    Raises:
        BrokenPromiseError: It gave fewer records than the whole one, or ended in anything but a sentence.
    """
    path.write_bytes(content)
    try:
        n_read = sum(block.n_read for block in iter_blocks(plan_work(str(path), ReadOptions())))
    except SaitenError:
        outcome.note("refused")
        return
    except Exception as error:
        raise BrokenPromiseError(f"{type(error).__name__} and no sentence: {error}") from error
    outcome.note("read whole")
    promise(n_read >= _RECORDS, f"it gave {n_read} of {_RECORDS} records and no error")


def run(bench: Bench, times: int | None) -> list[Outcome]:
    """Tries 500 mutations of each kind of file, or so many as is said."""
    lines = b"".join(b"%d\n" % bench.random.randrange(10**9) for _ in range(_RECORDS))
    outcomes = []
    for ending, make in _MAKERS.items():
        whole = make(lines)
        outcome = Outcome("mutated files", ending)
        for _ in range(times or 500):
            content = mutated(whole, bench.random)
            outcome.attempt(lambda: check_mutation(bench.folder / f"a.{ending}", content, outcome))  # noqa: B023
        outcomes.append(outcome)
    return outcomes
