"""Inputs made to fill the memory: every record has its outcome, and the process stays small."""

import bz2
import gzip
import io
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reliability.bench import SENTENCES, Bench
from benchmarks.reliability.outcome import Outcome, promise
from saiten.pipelines.run.results import read_dead_letters, read_scores

# Beam, pyarrow, Numba and the dictionary take about 350 MB before the first record, TensorFlow 500 MB more.
_MAX_MB = 1_200
_LONG_BYTES = 10 * 1024 * 1024
_BOMB_BYTES = 1 << 30


def _long_text() -> bytes:
    sentence = SENTENCES[1].encode()
    return sentence * ((_LONG_BYTES - 1) // len(sentence)) + b"\n"


def _equal_characters() -> bytes:
    return b"".join(character.encode() * 100_000 + b"\n" for character in "あ漢x1ー。！9９")


def _gzip_bomb() -> bytes:
    packed = io.BytesIO()
    with gzip.open(packed, "wb", compresslevel=1) as file:
        for _ in range(_BOMB_BYTES >> 20):
            file.write(bytes(1 << 20))
    return packed.getvalue()


def _bz2_bomb() -> bytes:
    compressor = bz2.BZ2Compressor()
    return b"".join(compressor.compress(bytes(1 << 20)) for _ in range(_BOMB_BYTES >> 23)) + compressor.flush()


def _deep_json() -> bytes:
    deep = b"[" * 200_000 + b"]" * 200_000
    return b'{"text": "a"}\n' + b'{"text": ' + deep + b"}\n" + deep + b"\n" + b'{"text": "a", "more": ' + deep + b"}\n"


def _parquet_bomb() -> bytes:
    """One value of 16 MiB, 128 times: 2 GB once unpacked."""
    sink = io.BytesIO()
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 128), pa.array(["x" * (16 << 20)]))
    pq.write_table(pa.table({"text": texts}), sink, compression="zstd")
    return sink.getvalue()


def _parquet_page() -> bytes:
    """One value of 1000 MiB, as one page."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["x" * (1000 << 20)]}), sink, compression="zstd", use_dictionary=False)
    return sink.getvalue()


def _growing_characters() -> bytes:
    """NFKC makes 18 characters of each, and MeCab a word or more of every one."""
    return "\ufdfa".encode() * (_LONG_BYTES // 3) + b"\n"


def _kept_list() -> bytes:
    start, end = b'{"text": "a", "k": [', b"1]}\n"
    return start + b"1," * ((_LONG_BYTES - len(start + end)) // 2) + end


def _long_ids() -> bytes:
    """60,000 ids of 20 kB: 1.2 GB that are counted for repetitions at the end."""
    record = b'{"id": "%05d' + b"x" * 20_000 + b'", "text": "a"}\n'
    return gzip.compress(b"".join(record % i for i in range(60_000)), compresslevel=1)


# What each file is, and the statuses and codes that its records must get; none where it is refused as a whole.
_FILES: dict[str, tuple[str, Callable[[], bytes], set[str]]] = {
    "a text of 10 MB": ("txt", _long_text, {"scored"}),
    "100,000 equal characters": ("txt", _equal_characters, {"scored"}),
    "a gzip bomb of 1 GiB": ("txt.gz", _gzip_bomb, {"TOO_LARGE"}),
    "a bz2 bomb of 128 MiB": ("txt.bz2", _bz2_bomb, {"TOO_LARGE"}),
    "JSON nested 200,000 deep": ("jsonl", _deep_json, {"scored", "BAD_JSON"}),
    "a Parquet row group of 2 GB in a small file": ("parquet", _parquet_bomb, {"TOO_LARGE"}),
    "a Parquet page of 1 GB in a small file": ("parquet", _parquet_page, set()),
    "10 MB of characters that normalise to 18": ("txt", _growing_characters, {"scored"}),
    "a kept field of 5,000,000 numbers": ("jsonl", _kept_list, {"scored"}),
    "60,000 ids of 20 kB": ("jsonl.gz", _long_ids, {"scored"}),
}

_FLAGS = {_kept_list: ["--keep_fields=k"], _long_ids: ["--id_field=id"]}


def check_file(bench: Bench, kind: str, outcome: Outcome) -> None:
    """Scores one hostile file in a process of its own.

    Raises:
        BrokenPromiseError: It took too much memory, or its records came out otherwise, or it was not refused.
    """
    ending, make, expected = _FILES[kind]
    number = list(_FILES).index(kind)
    source, output = bench.folder / f"{number}.{ending}", bench.folder / f"output {number}"
    # Elsewhere: a process that is started counts what its parent once held as its own.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        source.write_bytes(pool.submit(make).result())
    flags = ["--workers=1", "--max_dead_letter_rate=1", "--allow_dead_letters"]
    flags += _FLAGS.get(make, [])
    with bench.start(bench.arguments(source, output, *flags)) as process:
        said, peak_mb = _wait(process)
    outcome.note("MB", peak_mb)
    promise(peak_mb < _MAX_MB, f"it took {peak_mb:.0f} MB")
    # Of a run that set records aside one more says where they are.
    n_lines = 2 if expected - {"scored", "empty"} else 1
    promise(said.count("\n") == n_lines, f"more than {n_lines} lines, or fewer: {said[:400]!r}")
    if not expected:
        promise(process.returncode == 1 and source.name in said, f"exit {process.returncode}: {said}")
        return
    promise(process.returncode == 0, f"exit {process.returncode}: {said}")
    found = set(read_scores(str(output), ["status"])["status"].to_pylist())
    found |= set(read_dead_letters(str(output), ["code"])["code"].to_pylist())
    promise(found == expected, f"its records came out as {found}")


def _wait(process: "subprocess.Popen[str]") -> tuple[str, float]:
    """Returns what a process said and how many MB it held at most."""
    assert process.stderr
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return said, usage.ru_maxrss / 1e3


def run(bench: Bench, times: int | None) -> list[Outcome]:
    """Tries each file once, or `times`."""
    outcomes = [Outcome("hostile inputs", kind) for kind in _FILES]
    for outcome in outcomes:
        for _ in range(times or 1):
            outcome.attempt(lambda: check_file(bench, outcome.kind, outcome))  # noqa: B023 - called at once
    return outcomes
