"""`saiten doctor` says what is missing on a machine, and what to do about it."""

import importlib.metadata
import json
import pathlib
import re
import sys

import pytest

from saiten.model.errors import missing_library
from saiten.pipelines.commands.main import main
from saiten.pipelines.local import health
from saiten.pipelines.local.health import (
    Part,
    available_memory,
    judge_dictionary,
    judge_disk,
    judge_memory,
    judge_python,
    judge_stores,
    start_probe,
)
from saiten.pipelines.startup import _CLIENTS

GOOD = Part("good", "is there", ("json",), ("numpy",))
MISSING = Part("absent", "is not there", ("no_such_module",), ("no-such-package",), "keras")
BROKEN = Part("broken", "is damaged", ("saiten.no_such_module",), ("numpy",))
# A library that was built for another processor ends its process: here with a signal of the module's own making.
CRASHING = Part("crashing", "ends the process", ("faulthandler", "crashing"), ("numpy",), "train")


def examined(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["doctor", *arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_machine_that_has_all_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(health, "PARTS", (GOOD,))
    code, out, err = examined(f"--output={tmp_path / 'new' / 'run'}", capsys=capsys)
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["✓", "Python"], ["✓", "dictionary"], ["✓", "good"], ["✓", "stores"], ["✓", "memory"], ["✓", "disk"],
    ]  # fmt: skip
    assert "すもも も もも も もも の うち" in out
    assert f"free in {tmp_path}" in out
    assert (code, err) == (0, "saiten: scoring works here: 6 checks.\n")


def test_what_training_or_the_keras_engine_lack_is_a_remark_and_what_scoring_lacks_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health, "PARTS", (GOOD, MISSING, BROKEN))
    code, out, err = examined("--json", capsys=capsys)
    found = {one["name"]: one for one in json.loads(out)}
    assert found["absent"] == {
        "name": "absent",
        "level": "note",
        "figure": "needs no-such-package; is not there",
        "remedy": str(missing_library("no-such-package", "keras")),
    }
    assert (found["good"]["level"], found["broken"]["level"]) == ("good", "bad")
    assert "does not load: ModuleNotFoundError: No module named 'saiten.no_such_module'" in found["broken"]["figure"]
    assert code == 1
    assert err == "saiten: 1 of 8 checks failed: nothing can be scored here before it is mended.\n"


def test_a_library_that_ends_the_process_ends_the_probe_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "crashing.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGILL)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = health.judge_part(CRASHING, start_probe(CRASHING))
    assert (finding.level, finding.figure.endswith("does not load: the process ended with -4")) == ("note", True)
    assert "this processor" in finding.remedy


def test_every_extra_and_every_library_that_is_needed_is_looked_for() -> None:
    """What setup.py asks for is what is tried; of the extras those that bring a library of Saiten's own parts."""
    wanted: dict[str, set[str]] = {}
    for line in importlib.metadata.requires("saiten") or ():
        name, _, marker = line.partition(";")
        extra = re.search(r"extra == [\"'](\w+)[\"']", marker)
        wanted.setdefault(extra[1] if extra else "", set()).add(re.split(r"[\[<>=~! ]", name)[0])
    tried = {package for part in health.PARTS for package in part.packages}
    assert wanted[""] - tried == {"mecab-python3", "unidic-lite"}  # of these the dictionary is the proof
    assert {name for extra in ("keras", "train", "evaluate") for name in wanted[extra]} - tried == set()
    assert {part.extra for part in health.PARTS if part.extra} == {"keras", "train", "evaluate"}
    assert {extra for _, extra in _CLIENTS.values()} == wanted.keys() - {"", "keras", "train", "evaluate", "dev"}


def test_stores_without_their_client_name_the_extra() -> None:
    assert judge_stores({}).figure == "files of this machine; gs://; s3://"
    assert judge_stores({"gs://": "gcp"}).figure == "files of this machine; gs:// with the extra gcp; s3://"


@pytest.mark.parametrize(("version", "level"), [((3, 10, 9), "bad"), ((3, 11, 0), "good"), ((3, 13, 9), "good"),
                                                ((3, 14, 0), "bad")])  # fmt: skip
def test_other_pythons_are_refused(version: tuple[int, ...], level: str) -> None:
    assert judge_python(version).level == level


def test_a_dictionary_that_is_not_there_says_how_to_get_one() -> None:
    assert judge_dictionary("no-such-folder").remedy.startswith("no-such-folder holds no MeCab dictionary")


def test_little_memory_limits_the_workers_and_less_than_one_worker_is_too_little() -> None:
    worker = 350 << 20
    assert judge_memory(4 * worker, 4).level == "good"
    assert judge_memory(3 * worker, 4).remedy == "give saiten score --workers=3: the default is all 4 cores"
    assert judge_memory(worker - 1, 4).level == "bad"
    assert judge_memory(None, 4).level == "note"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_a_containers_limit_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    free = available_memory()
    assert free is not None
    monkeypatch.setattr(health, "CGROUP", tmp_path)
    for limit, left in (("3000000\n", 2_000_000), ("max\n", None)):
        (tmp_path / "memory.max").write_text(limit)
        (tmp_path / "memory.current").write_text("1000000\n")
        found = available_memory()
        assert found is not None
        assert found == left if left else found > 3_000_000


def test_a_folder_that_cannot_be_written_to_is_said_before_a_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(health.os, "access", lambda *_: False)  # type: ignore[attr-defined]
    finding = judge_disk(str(tmp_path))
    assert (finding.level, finding.figure) == ("bad", f"{tmp_path} cannot be written to")
