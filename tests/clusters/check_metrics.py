"""What an engine tells of a job in Beam's metrics is what the run's manifest and the scores' own columns say."""

import pathlib
from collections.abc import Callable

import pyarrow.compute as pc

from saiten.pipelines.run.results import read_scores
from tests.clusters.jobs import manifest_of, metrics_of, score

RECORDS = 300
# Two empty texts, and dead letters of three codes.
ODD = ['{"id": "e1", "text": ""}', '{"id": "e2", "text": " "}', "{", "{", '{"id": "n", "text": 3}', "[]"]


def test_metrics(
    articles: pathlib.Path,
    bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    engine_flags: list[str],
    figure: Callable[[str], None],
) -> None:
    source, output = tmp_path / "records.jsonl", tmp_path / "run"
    lines = articles.read_text(encoding="utf-8").splitlines()[:RECORDS]
    source.write_text("\n".join([*lines, *ODD]) + "\n", encoding="utf-8")
    ended = score(source, bundle, output, "--max_dead_letter_rate=1", *engine_flags)
    assert ended.exit_code == 3, ended.said
    counts, scores = manifest_of(output).counts, read_scores(str(output))
    counters, distributions = metrics_of(ended.job, engine_flags)
    assert counters == {
        "bytes-read": source.stat().st_size,
        "records-read": RECORDS + len(ODD),
        "records-scored": counts.scored,
        "records-empty": 2,
        "records-truncated": pc.sum(scores["truncated"]).as_py(),
        "records-dead-lettered": 4,
        "tokens-read": pc.sum(scores["n_tokens"]).as_py(),
        "tokens-oov": pc.sum(scores["n_oov"]).as_py(),
        "dead-letters-bad-json": 2,
        "dead-letters-text-not-string": 1,
        "dead-letters-not-an-object": 1,
    }
    assert counters["records-truncated"] > 0
    n_blocks, n_rows = distributions["batch-records"]
    assert n_rows == scores.num_rows
    assert {name: count for name, (count, _) in distributions.items()} == dict.fromkeys(
        ("batch-records", "encode-ms", "infer-ms"), n_blocks
    )
    encode_ms, infer_ms = (distributions[f"{stage}-ms"][1] for stage in ("encode", "infer"))
    assert min(encode_ms, infer_ms) > 0
    figure(
        f"{len(counters)} counters as in manifest and scores, {counters['tokens-read']:,} tokens, "
        f"{counters['records-truncated']} truncated; {n_blocks} batches, {encode_ms} ms in encode, {infer_ms} in infer"
    )
