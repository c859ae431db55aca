"""Models that go wrong, in batches of three sizes: no record is lost, none gets another's score."""

import pathlib

from benchmarks.reliability.bench import SENTENCES, Bench
from benchmarks.reliability.directory import Rows, read_rows
from benchmarks.reliability.faulty import FAULTS
from benchmarks.reliability.outcome import Outcome, promise

# A block has 2,048 records at most, so these are batches of 1, of 64, and of 2,048 with a rest.
BATCH_SIZES = (1, 64, 5_000)
_CODES = {"NaN": "NOT_FINITE", "infinite": "NOT_FINITE"}
_POISON = "".join(SENTENCES) * 4


def check_fault(bench: Bench, fault: str, n_records: int) -> None:
    """Scores a file whose middle record the model fails on.

    Raises:
        BrokenPromiseError: The run ended otherwise than it must, or cost another record.
    """
    source = bench.folder / f"{n_records}.txt"
    lines = [f"{SENTENCES[i % len(SENTENCES)]}{i}" for i in range(n_records)]
    lines[n_records // 2] = _POISON
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    clean = _clean_rows(bench, source)
    output = bench.folder / f"{fault} {n_records}"
    flags = ["--workers=1", "--max_dead_letter_rate=1", "--batch_timeout_secs=3"]
    arguments = [fault, *bench.arguments(source, output, *flags)]
    with bench.start(arguments, program="benchmarks.reliability.faulty") as process:
        _, said = process.communicate()
    is_refused = fault in ("cannot load", "hangs")
    # Of a run that set a record aside one more says where it is.
    promise(said.count("\n") == (1 if is_refused else 2), f"more lines, or fewer: {said!r}")
    if is_refused:
        promise(process.returncode == 1, f"exit {process.returncode}: {said}")
        promise(not (output / "manifest.json").exists(), "it is committed")
        return
    promise(process.returncode == 3, f"exit {process.returncode}: {said}")
    dead = [(letter["position"], letter["code"]) for letter in read_rows(output, "dead_letters")]
    poisoned = clean.pop(n_records // 2)
    promise(dead == [(poisoned["position"], _CODES.get(fault, "MODEL_ERROR"))], f"dead letters: {dead}")
    promise(_differ_at_most(read_rows(output), clean, 1e-6), "a neighbour's row changed")


def _clean_rows(bench: Bench, source: pathlib.Path) -> Rows:
    output = bench.folder / f"clean {source.stem}"
    if not output.exists():
        code, said = bench.score(source, output, "--workers=1")
        promise(code == 0, f"the run without a fault ended with {code}: {said}")
    return read_rows(output)


def _differ_at_most(rows: Rows, expected: Rows, limit: float) -> bool:
    if [row["position"] for row in rows] != [row["position"] for row in expected]:
        return False
    return all(
        abs(ours[name] - theirs[name]) <= limit * max(1, abs(theirs[name]))
        for ours, theirs in zip(rows, expected, strict=True)
        for name in theirs
        if name.startswith("score_")
    )


def run(bench: Bench, times: int | None) -> list[Outcome]:
    """Tries every fault with every batch size, or with `times` of them."""
    outcomes = [Outcome("faulty models", fault) for fault in FAULTS]
    for outcome in outcomes:
        for n_records in BATCH_SIZES[:times]:
            outcome.attempt(lambda: check_fault(bench, outcome.kind, n_records))  # noqa: B023 - called at once
    return outcomes
