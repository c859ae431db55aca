"""Poison among good records: one dead letter each, and the others keep their scores."""

import json
import pathlib

from benchmarks.reliability.bench import SENTENCES, Bench
from benchmarks.reliability.directory import Rows, read_rows
from benchmarks.reliability.outcome import Outcome, promise

_RECORDS = 10_000
_POSITIONS = 20
_LIMIT = 4_000

# What is put in a record's place, and the code that it must get.
_KINDS: dict[str, tuple[bytes, str]] = {
    "invalid UTF-8": (b'{"id": "poison", "text": "\xff\xfe"}', "BAD_UTF8"),
    "cut JSON": (b'{"id": "poison", "text": "', "BAD_JSON"),
    "a lone surrogate": (b'{"id": "poison", "text": "\\ud800"}', "BAD_UNICODE"),
    "a text that is a number": (b'{"id": "poison", "text": 1}', "TEXT_NOT_STRING"),
    "a record that is too large": (b'{"id": "poison", "text": "' + b"x" * _LIMIT + b'"}', "TOO_LARGE"),
}


def _records(n_records: int) -> list[bytes]:
    texts = (f"{SENTENCES[i % len(SENTENCES)]}{i}" for i in range(n_records))
    return [json.dumps({"id": str(i), "text": text}, ensure_ascii=False).encode() for i, text in enumerate(texts)]


def _score(bench: Bench, name: str, records: list[bytes]) -> tuple[pathlib.Path, Rows]:
    source, output = bench.folder / "in" / f"{name}.jsonl", bench.folder / name
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(b"\n".join(records) + b"\n")
    flags = ["--id_field=id", f"--max_record_bytes={_LIMIT}", "--allow_dead_letters", "--workers=1"]
    code, said = bench.score(source, output, *flags)
    promise(code == 0, f"the run ended with {code}: {said}")
    return output, read_rows(output)


def check_kind(bench: Bench, kind: str, clean: Rows, outcome: Outcome) -> None:
    """Puts one kind of poison at random positions and scores the file.

    Raises:
        BrokenPromiseError: It cost anything but its own records.
    """
    poison, code = _KINDS[kind]
    records = _records(len(clean))
    places = set(bench.random.sample(range(len(clean)), min(_POSITIONS, len(clean) // 100)))
    for place in places:
        records[place] = poison
    output, rows = _score(bench, kind, records)
    dead = read_rows(output, "dead_letters")
    promise([letter["code"] for letter in dead] == [code] * len(places), "the dead letters are not the poison alone")
    good = [row for i, row in enumerate(clean) if i not in places]
    promise([row["id"] for row in rows] == [row["id"] for row in good], "a good record is lost")
    columns = [name for name in clean[0] if name.startswith("score_")]
    differences = [
        abs(ours[name] - theirs[name]) / max(1, abs(theirs[name]))
        for ours, theirs in zip(rows, good, strict=True)
        for name in columns
    ]
    promise(max(differences) <= 1e-6, f"a good record's score moved by {max(differences):.3g}")
    outcome.note("positions", len(places))
    outcome.notes["largest difference"] = max(differences)


def run(bench: Bench, times: int | None) -> list[Outcome]:
    """Tries each kind at 20 positions in 10,000 records; with `times`, in so many hundred records."""
    _, clean = _score(bench, "clean", _records(times * 100 if times else _RECORDS))
    outcomes = [Outcome("poison among good records", kind) for kind in _KINDS]
    for outcome in outcomes:
        outcome.attempt(lambda: check_kind(bench, outcome.kind, clean, outcome))  # noqa: B023 - called at once
    return outcomes
