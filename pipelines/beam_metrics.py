"""What every engine is told of a run while it goes on: Beam's metrics, by one rule of naming.

All are kebab-case, in the namespace `saiten`: what is counted, then what became of it (`records-scored`), or its unit
(`encode-ms`). Dead letters are counted by their code too (`dead-letters-bad-utf8`).
"""

from collections import Counter
from collections.abc import Mapping

from apache_beam.metrics import Metrics, MetricsFilter
from apache_beam.runners.runner import PipelineResult

from saiten.pipelines.records import Code, ScoredBlock

BYTES_READ, RECORDS_READ = "bytes-read", "records-read"
_NAMESPACE = "saiten"
_CODE = "dead-letters-"


def count_block(block: ScoredBlock) -> None:
    """Counts a block that was written, and what became of its records; within a DoFn. See `count_work` too."""
    count_work(block)
    n_empty = int(block.is_empty.sum())
    count_outcome(len(block.ids) - n_empty, n_empty, Counter(letter.code for letter in block.dead_letters))


def count_work(block: ScoredBlock) -> None:
    """Counts what a block cost; within a DoFn.

    Counters: `bytes-read`, `records-read`, `-truncated`, `tokens-read`, `tokens-oov`. Distributions, a value for each
    block: `batch-records`, `encode-ms`, `infer-ms`.
    """
    counts = {
        BYTES_READ: block.n_bytes,
        RECORDS_READ: block.n_read,
        "records-truncated": int(block.truncated.sum()),
        "tokens-read": int(block.n_tokens.sum()),
        "tokens-oov": int(block.n_oov.sum()),
    }
    for name, n in counts.items():
        count(name, n)
    Metrics.distribution(_NAMESPACE, "batch-records").update(len(block.ids))
    for stage in ("encode", "infer"):
        Metrics.distribution(_NAMESPACE, f"{stage}-ms").update(round(getattr(block.stage_secs, stage) * 1e3))


def count_outcome(n_scored: int, n_empty: int, n_dead: Mapping[str, int]) -> None:
    """Counts what became of records; within a DoFn.

    Counters: `records-scored`, `-empty`, `-dead-lettered`, `dead-letters-<code>`.

    Args:
        n_dead: Dead letters by code.
    """
    count("records-scored", n_scored)
    count("records-empty", n_empty)
    count("records-dead-lettered", sum(n_dead.values()))
    for code, n in n_dead.items():
        count(f"{_CODE}{_kebab(code)}", n)


def count(name: str, n: int = 1) -> None:
    """Counts something of that name; within a DoFn."""
    Metrics.counter(_NAMESPACE, name).inc(n)


def read_counters(result: PipelineResult) -> dict[str, int]:
    """Returns the counters by name, as a runner tells them of a job; none where it tells nothing yet."""
    if hasattr(result, "_metrics"):  # a portable job's result keeps what it was told first
        result._metrics = None  # noqa: SLF001
    found = result.metrics().query(MetricsFilter().with_namespace(_NAMESPACE))["counters"]
    counters: dict[str, int] = {}
    for each in found:
        counters[each.key.metric.name] = counters.get(each.key.metric.name, 0) + (each.result or 0)
    return counters


def dead_letters_by_code(counters: Mapping[str, int]) -> dict[str, int]:
    """Returns how many dead letters of each code the counters tell of."""
    codes = {f"{_CODE}{_kebab(code)}": str(code) for code in Code}
    return {codes[name]: count for name, count in counters.items() if name in codes}


def _kebab(code: str) -> str:
    return code.lower().replace("_", "-")
