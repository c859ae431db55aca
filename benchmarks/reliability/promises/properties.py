"""Bytes to ids to rows: whatever the bytes, no exception, ids in range, nothing lost."""

import random
from collections.abc import Callable

import numpy as np

from benchmarks.reliability.bench import Bench
from benchmarks.reliability.outcome import Outcome, promise
from saiten.model.bundle.bundle import read_bundle
from saiten.model.engines.engine import Engine
from saiten.model.text.encoder import Encoder
from saiten.pipelines.reading.options import KeptField, ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from saiten.pipelines.steps.encode import encode_block
from saiten.pipelines.steps.infer import score_block

_RECORDS = 1_000_000
_FILE_RECORDS = 500
_KEPT = (KeptField("kept"),)
_MAX_RECORD_BYTES = 1_000

_ODD = "\0\x1b\r\u3000\u00a0\u2028\ufeff\u200d\ud7ff\ue000\uffff😀🇯🇵ｶﾞが½①㍿xX0９ーー、。"


def random_record(rng: random.Random) -> bytes:
    """Returns bytes of one of many kinds, without a line end."""
    return _MAKERS[rng.randrange(len(_MAKERS))](rng).replace(b"\n", b"")


def _any_bytes(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(60))


def _any_text(rng: random.Random) -> bytes:
    points = (rng.choice((0x80, 0x800, 0x3000, 0xA000, 0x11000, 0x110000)) for _ in range(rng.randrange(40)))
    return "".join(chr(rng.randrange(below)) for below in points).encode("utf-8", "surrogatepass")


def _japanese(rng: random.Random) -> bytes:
    return "".join(chr(rng.randrange(0x3041, 0x3097)) for _ in range(rng.randrange(80))).encode()


def _odd_text(rng: random.Random) -> bytes:
    return "".join(rng.choices(_ODD, k=rng.randrange(40))).encode()


def _equal_characters(rng: random.Random) -> bytes:
    return rng.choice("あx1 ー漢。").encode() * rng.randrange(600)


def _json(rng: random.Random) -> bytes:
    value = rng.choice((_any_text, _odd_text, _japanese))(rng).decode("utf-8", "replace").replace('"', "'")
    text = rng.choice((f'"{value}"', "1", "null", "[]", "1e999", '"\\ud800"', f'"{value}', '"\\u0000"'))
    return f'{{"text": {text}, "kept": {rng.choice(("1", "null", "{}", text))}}}'.encode()


def _broken_json(rng: random.Random) -> bytes:
    whole = _json(rng)
    return whole[: rng.randrange(len(whole) + 1)]


_MAKERS: tuple[Callable[[random.Random], bytes], ...] = (
    _any_bytes,
    _any_text,
    _japanese,
    _odd_text,
    _equal_characters,
    _json,
    _broken_json,
)


def check_file(bench: Bench, encoder: Encoder, engine: Engine, ending: str, n_records: int) -> None:
    """Reads, encodes and scores a file of random records.

    Raises:
        BrokenPromiseError: A record is lost or doubled, or an id or a score is out of range.
    """
    path = bench.folder / f"random.{ending}"
    head = b'{"text": "a"}' if ending == "jsonl" else b"text,kept"
    records = [head, *(random_record(bench.random) for _ in range(n_records))]
    path.write_bytes(b"\n".join(records) + b"\n")
    n_read, positions = 0, []
    options = ReadOptions(kept_fields=() if ending == "txt" else _KEPT, max_record_bytes=_MAX_RECORD_BYTES)
    for block in iter_blocks(plan_work(str(path), options)):
        encoded = encode_block(block, encoder)
        ids = encoded.encoded.token_ids
        promise(not len(ids) or 0 < ids.min() <= ids.max() < len(encoder.vocabulary), "an id is out of range")
        scored = score_block(encoded, engine)
        promise(np.isfinite(scored.scores).all(), "a score is not finite")
        n_read += block.n_read
        positions += [*scored.positions, *(letter.position for letter in scored.dead_letters)]
    promise(len(positions) == n_read == len(set(positions)), "a record is lost or doubled")
    if ending != "csv":  # a quote in CSV joins lines
        offsets = np.cumsum([0, *(len(record) + 1 for record in records)]).tolist()
        # A blank line is an empty text, but no JSON record.
        lines = [offsets[i] for i, record in enumerate(records) if ending == "txt" or record.strip(b" \t\r")]
        promise(sorted(positions) == lines, "the records are not the lines of the file")


def run(bench: Bench, times: int | None) -> list[Outcome]:
    """Tries a million records, or `times`, a third in each format."""
    bundle = read_bundle(bench.bundle)
    encoder, engine = bundle.encoder(), bundle.engine()
    outcomes = []
    for ending in ("txt", "jsonl", "csv"):
        outcome = Outcome("bytes to ids to rows", f"files of random {ending} records")
        left = -(-(times or _RECORDS) // 3)
        while left > 0:
            n_records = min(left, _FILE_RECORDS)
            outcome.attempt(lambda: check_file(bench, encoder, engine, ending, n_records))  # noqa: B023 - called at once
            outcome.note("records", n_records)
            left -= n_records
        outcomes.append(outcome)
    return outcomes
