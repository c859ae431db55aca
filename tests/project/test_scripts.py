"""The scripts answer a mistake with one sentence, and show a run as it is."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.pipelines.run.schema import scores_schema
from tests.clusters import processes

ROOT = pathlib.Path(__file__).parents[2]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)


def test_a_python_that_is_missing_or_too_old_is_one_sentence() -> None:
    result = run("bash", "-c", "source scripts/python.sh", PYTHON="/nowhere/python3")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Saiten needs Python 3.11, 3.12 or 3.13 (found none in PYTHON=/nowhere/python3)")
    assert result.stderr.count("\n") == 1


def test_the_newest_script_finds_this_python() -> None:
    result = run("bash", "-c", 'source scripts/python.sh; echo "$python"', PYTHON=sys.executable)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{sys.executable}\n", "")


def test_the_engines_checks_say_by_name_what_a_machine_lacks_and_end_so() -> None:
    result = run(sys.executable, "-m", "tests.clusters.install", PATH="/nowhere")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "test-engines: this machine lacks java: a Java 17 runtime (Debian: openjdk-17-jre-headless).",
        "test-engines: this machine lacks mvn: Maven (Debian: maven), which brings Beam's job server.",
        "test-engines: this machine lacks go: Go 1.25 or newer, which builds Beam's Prism and the Pub/Sub emulator.",
    ]


def test_the_engines_take_ports_that_nobody_has_and_keep_them(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "BUILD", tmp_path)
    processes.choose_ports()
    chosen = {name: processes.port(name) for name in processes.PORT_NAMES}
    assert len(set(chosen.values())) == len(chosen)
    with socket.create_server(("127.0.0.12", chosen["prism-jobs"])):
        processes.port.cache_clear()
        assert {name: processes.port(name) for name in chosen} == chosen
        processes.choose_ports()
        assert chosen["prism-jobs"] not in {processes.port(name) for name in chosen}
    processes.port.cache_clear()


@pytest.mark.parametrize("flag", ["--bundle", "--input", "--output"])
def test_run_local_wants_a_value_for_its_flags(flag: str) -> None:
    result = run(str(ROOT / "run_local.sh"), flag)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"run_local.sh: {flag} needs a value.\n")


def write_run(folder: pathlib.Path, *, labelled: bool) -> pathlib.Path:
    kept = [pa.field("text", pa.string()), pa.field("taste", pa.float64())] if labelled else []
    rows = [
        {"id": f"r{i}", "text": f"味[{i}]", "taste": float(i), "score_taste": score, "n_tokens": 2, "n_oov": 0,
         "truncated": False, "status": "empty" if score is None else "scored", "source": "a", "position": i}
        for i, score in enumerate([1.0, 2.0, None, 4.0])
    ]  # fmt: skip
    (folder / "scores").mkdir()
    schema = scores_schema(["taste"], kept)
    table = pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema)
    pq.write_table(table, folder / "scores/part-now-00000.parquet")
    pq.write_table(table, folder / "scores/part-old-00000.parquet")
    outputs = [{"path": "scores/part-now-00000.parquet"}, {"path": "dead_letters/part-now-00000.parquet"}]
    beside = {"run_id": "now", "settings": {}, "counts": {}, "inputs": []}
    manifest = {**beside, "outputs_scored": ["taste"], "outputs": outputs}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def shown(folder: pathlib.Path) -> list[list[str]]:
    result = run(sys.executable, str(ROOT / "scripts/show_scores.py"), str(folder), COLUMNS="80", NO_COLOR="1")
    assert (result.returncode, result.stderr) == (0, "")
    return [line.split() for line in result.stdout.splitlines() if line.strip(" ─")]


def test_scores_are_shown_beside_their_labels_with_their_correlation(tmp_path: pathlib.Path) -> None:
    assert shown(write_run(tmp_path, labelled=True)) == [
        ["1", "味[0]"],
        ["2", "味[1]"],
        ["3", "味[3]"],
        ["score", "(label)", "1", "2", "3", "Pearson", "Spearman"],
        ["taste", "1.00", "(0.0)", "2.00", "(1.0)", "4.00", "(3.0)", "1.00", "1.00"],
        ["n_tokens", "2", "2", "2"],
    ]


def test_scores_without_labels_are_shown_by_id(tmp_path: pathlib.Path) -> None:
    assert shown(write_run(tmp_path, labelled=False)) == [
        ["1", "r0"],
        ["2", "r1"],
        ["3", "r3"],
        ["score", "1", "2", "3"],
        ["taste", "1.00", "2.00", "4.00"],
        ["n_tokens", "2", "2", "2"],
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "show_scores.py: error: the following arguments are required: RUN"),
        (["nowhere"], 1, "show_scores.py: nowhere holds no committed run: it has no manifest.json."),
    ],
)
def test_without_a_run_nothing_is_shown_and_one_sentence_says_so(words: list[str], code: int, said: str) -> None:
    result = run(sys.executable, str(ROOT / "scripts/show_scores.py"), *words)
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.splitlines()[-1] == said
    assert "Traceback" not in result.stderr


def test_tests_of_one_group_share_a_process(tmp_path: pathlib.Path) -> None:
    """With a pytest that pytest-xdist does not know each process makes what a group shares, which takes minutes."""
    (tmp_path / "test_pair.py").write_text(
        "import os, pytest\n"
        "pytestmark = pytest.mark.xdist_group('pair')\n"
        "@pytest.mark.parametrize('n', range(6))\n"
        "def test_it(n): open('workers', 'a').write(os.environ['PYTEST_XDIST_WORKER'] + '\\n')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    workers = (tmp_path / "workers").read_text().split()
    assert (len(workers), len(set(workers))) == (6, 1)
