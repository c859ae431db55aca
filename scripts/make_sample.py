#!/usr/bin/env python3
"""Writes sample data: Japanese restaurant reviews with eight scores from 1 to 5.

    OUT/train.jsonl     id, text and the eight scores
    OUT/reviews.jsonl   further reviews of the same kind, held out, with a few broken records between them

With --tables it writes what the tutorial begins with instead:

    OUT/reviews.csv     id, body, two of the scores, and a verdict, good or bad
    OUT/new.csv         id and body of further reviews

A score is what the text says of that aspect, drawn towards what it says as a whole, as people's
marks are, with a little noise. An aspect that is not mentioned lies between the whole and the middle.
The same seed always gives the same bytes. Standard library only.
"""

import argparse
import csv
import json
import pathlib
import random
from collections.abc import Iterator
from statistics import fmean
from typing import Any

from sample_phrases import FILLERS, OPENERS, PREDICATES, SLOTS, SUBJECTS, VERDICTS

ASPECTS = list(SUBJECTS)
SCORES = [*ASPECTS, "overall"]

# MeCab with unidic-lite makes about 0.6 tokens of each character of this text.
TOKENS_PER_CHAR = 0.6
MEDIAN_TOKENS, SPREAD, MAX_TOKENS = 30, 0.6, 2_000
# One review in ten is a line of some words, one in fifty runs over many hundreds of tokens.
ONE_LINER_SHARE, LONG_SHARE, MIN_LONG_TOKENS = 0.1, 0.02, 150
HALO, NOISE = 0.2, 0.2
_TABLE_SCORES = ("taste", "service")
# The middle of the scores.
_GOOD = 3

# One of each kind of record that cannot be scored, and two that have nothing to score.
BROKEN = [
    b'{"id": "broken-utf8", "text": "\xe3\x81\xe3\x81 \xff"}',
    b'{"id": "broken-json", "text": "',
    b'["broken", "not an object"]',
    b'{"id": "broken-missing"}',
    b'{"id": "broken-null", "text": null}',
    b'{"id": "broken-number", "text": 5}',
    b'{"id": "broken-surrogate", "text": "\\ud83d"}',
    b'{"id": "empty", "text": ""}',
    b'{"id": "spaces", "text": " \\u3000 \\n"}',
]


def make_review(rng: random.Random) -> dict[str, Any]:
    """Returns one review: its text, and its eight scores."""
    if rng.random() < ONE_LINER_SHARE:
        return _one_liner(rng)
    n_tokens = _draw_length(rng)
    grades = _choose_grades(rng, n_tokens)
    verdict = [round(fmean(grade for values in grades.values() for grade in values))] if rng.random() < 0.6 else []
    return {"text": _write_text(rng, grades, verdict, n_tokens), **_scores(rng, grades, verdict)}


def _one_liner(rng: random.Random) -> dict[str, Any]:
    aspect, grade = rng.choice(ASPECTS), rng.randint(-2, 2)
    text = rng.choice(PREDICATES[aspect][grade + 2]) + rng.choice(["。", "！", ""])
    return {"text": text, **_scores(rng, {aspect: [grade]}, [])}


def _draw_length(rng: random.Random) -> float:
    """Returns about how many tokens to write: mostly some dozens, now and then many hundreds."""
    if rng.random() < LONG_SHARE:
        return float(MIN_LONG_TOKENS * (MAX_TOKENS / MIN_LONG_TOKENS) ** rng.random())
    return MEDIAN_TOKENS * rng.lognormvariate(0, SPREAD)


def _choose_grades(rng: random.Random, n_tokens: float) -> dict[str, list[int]]:
    """Returns what the review says of each aspect it mentions: one grade a clause, -2 to 2."""
    mood = rng.gauss(0, 1)
    n_aspects = max(1, min(len(ASPECTS), round(n_tokens / 13 * rng.uniform(0.7, 1.3))))
    grades = {}
    for aspect in rng.sample(ASPECTS, n_aspects):
        feeling = 0.5 * mood + rng.gauss(0, 1)
        n_clauses = 1 + (n_tokens > 150) + (n_tokens > 500)
        grades[aspect] = [max(-2, min(2, round(feeling + rng.gauss(0, 0.3)))) for _ in range(n_clauses)]
    return grades


def _scores(rng: random.Random, grades: dict[str, list[int]], verdict: list[int]) -> dict[str, float]:
    said = {aspect: fmean(values) for aspect, values in grades.items()}
    overall = fmean([*said.values(), *verdict])
    marks = {aspect: HALO * overall + (1 - HALO) * said.get(aspect, overall / 2) for aspect in ASPECTS}
    return {name: _score(rng, mark) for name, mark in [*marks.items(), ("overall", overall)]}


def _score(rng: random.Random, mark: float) -> float:
    return round(max(1.0, min(5.0, 3 + mark + rng.gauss(0, NOISE))), 1)


def _write_text(rng: random.Random, grades: dict[str, list[int]], verdict: list[int], n_tokens: float) -> str:
    clauses = [_clause(rng, aspect, grade) for aspect, values in grades.items() for grade in values]
    rng.shuffle(clauses)
    sentences = list(_join_clauses(rng, clauses))
    n_chars = sum(map(len, sentences))
    while n_chars < n_tokens / TOKENS_PER_CHAR:
        filler = rng.choice(OPENERS) + _fill(rng, rng.choice(FILLERS)) + "。"
        sentences.insert(rng.randint(0, len(sentences)), filler)
        n_chars += len(filler)
    return "".join([*sentences, *(rng.choice(VERDICTS[grade + 2]) + "。" for grade in verdict)])


def _clause(rng: random.Random, aspect: str, grade: int) -> str:
    return f"{rng.choice(SUBJECTS[aspect])}は{rng.choice(PREDICATES[aspect][grade + 2])}"


def _join_clauses(rng: random.Random, clauses: list[str]) -> Iterator[str]:
    """Yields sentences of one clause or, now and then, of two."""
    rest = iter(clauses)
    for clause in rest:
        second = next(rest, None) if rng.random() < 0.3 else None
        yield rng.choice(OPENERS) + clause + (f"が、{second}" if second else "") + rng.choice("。。。！")


def _fill(rng: random.Random, template: str) -> str:
    while "{" in template:
        name = template[template.index("{") + 1 : template.index("}")]
        template = template.replace("{" + name + "}", rng.choice(SLOTS[name]), 1)
    return template


def make_lines(rng: random.Random, prefix: str, n_records: int) -> list[bytes]:
    """Returns reviews as lines of JSON, without their line ends."""
    reviews = ({"id": f"{prefix}-{i:05}", **make_review(rng)} for i in range(n_records))
    return [json.dumps(review, ensure_ascii=False).encode() for review in reviews]


def write_sample(folder: pathlib.Path, n_records: int, seed: int) -> None:
    """Writes both files: `n_records` to train on, a quarter as many to score."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    train = make_lines(rng, "train", n_records)
    reviews = make_lines(rng, "review", n_records // 4)
    for line in BROKEN:
        reviews.insert(rng.randint(0, len(reviews)), line)
    for name, lines in (("train.jsonl", train), ("reviews.jsonl", reviews)):
        (folder / name).write_bytes(b"".join(line + b"\n" for line in lines))


def write_tables(folder: pathlib.Path, n_records: int, seed: int) -> None:
    """Writes both tables: `n_records` with their scores, a quarter as many without."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for name, prefix, n_rows, is_rated in (
        ("reviews.csv", "r", n_records, True),
        ("new.csv", "n", n_records // 4, False),
    ):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["id", "body", *([*_TABLE_SCORES, "verdict"] if is_rated else [])])
            for i in range(n_rows):
                review = make_review(rng)
                verdict = "good" if review["overall"] >= _GOOD else "bad"
                said = [*(review[score] for score in _TABLE_SCORES), verdict] if is_rated else []
                rows.writerow([f"{prefix}{i}", review["text"], *said])


def main() -> None:
    """Reads the command line and writes the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder to write to")
    parser.add_argument("--records", type=int, default=6_000, help="reviews to train on (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="default %(default)s")
    parser.add_argument("--tables", action="store_true", help="write reviews.csv and new.csv instead")
    arguments = parser.parse_args()
    write = write_tables if arguments.tables else write_sample
    write(arguments.out, arguments.records, arguments.seed)


if __name__ == "__main__":
    main()
