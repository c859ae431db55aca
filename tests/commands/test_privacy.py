"""The text of a record is written where a flag asks for it, and nowhere else: no log, no message, no report."""

import contextlib
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.commands.main import main
from saiten.pipelines.local import launch

# Whatever becomes of the text, these letters of it stay as they are.
SECRET, KEPT = "zqsecret", "zqkept"

RECORDS = {
    "SCORED": f'{{"text": "駅から{SECRET}遠い。", "memo": "{KEPT}", "stars": 1}}',
    "EMPTY": f'{{"text": " ", "memo": "{KEPT}", "other": "{SECRET}"}}',
    "BAD_UNICODE": f'{{"text": "{SECRET}\\ud83d"}}',
    "BAD_JSON": f'{{"text": "{SECRET}"',
    "NOT_AN_OBJECT": f'["{SECRET}"]',
    "BAD_FIELD": f'{{"text": "良い。", "stars": "{SECRET}"}}',
    "TEXT_MISSING": f'{{"other": "{SECRET}"}}',
    "TEXT_NOT_STRING": f'{{"text": ["{SECRET}"]}}',
    "TOO_LARGE": f'{{"text": "{SECRET * 200}"}}',
}
CSV = f"text,memo,stars\n{SECRET}。,{KEPT},2\n{SECRET},too,3,many\n{SECRET},{KEPT},{SECRET}\n"


@pytest.fixture
def private(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder of records, each with a secret in it: good ones, empty ones, and one for each way to be bad."""
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes("\n".join(RECORDS.values()).encode() + b'\n{"text": "zqsecret\xff"}\n')
    (folder / "b.csv").write_text(CSV, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("flags", "workers"),
    [([], 1), (["--no_raw"], 1), pytest.param([], 2, marks=pytest.mark.thorough)],
    ids=["raw", "no raw", "raw, with worker processes"],
)
def test_texts_are_nowhere_but_where_they_were_asked_for(
    flags: list[str],
    workers: int,
    private: pathlib.Path,
    tiny_bundle: StoredBundle,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    out, logs = tmp_path / "out", tmp_path / "logs"
    logs.mkdir()
    caplog.set_level(logging.WARNING)  # as in worker processes and on other runners; a launcher logs nothing
    monkeypatch.setattr(launch, "_notes_folder", lambda _args, _run: contextlib.nullcontext(str(logs)))  # kept for us
    command = [
        "score", f"--input={private}", f"--bundle={tiny_bundle.path}", f"--output={out}", "--max_record_bytes=1000",
        "--keep_fields=memo,stars:int64", f"--workers={workers}", "--json", *flags,
    ]  # fmt: skip
    all_dead = "--max_dead_letter_rate=1"
    for exit_code, more in (
        (4, []),
        (3, [all_dead, "--resume"]),
        (0, [all_dead, "--overwrite", "--allow_dead_letters"]),
    ):
        assert main([*command, *more]) == exit_code
        said = capfd.readouterr()
        assert_without_text(f"{said.out}{said.err}{caplog.text}")
        assert_rows_as_asked_for(out, has_raw=not flags)
        for path in [*out.rglob("*"), *logs.iterdir()]:
            if path.is_file() and path.suffix != ".parquet":
                assert_without_text(path.read_bytes().decode(errors="replace"))
    assert (out / "report.html").exists()
    assert len(list(logs.glob("log-*"))) >= (4 if workers == 2 else 0), "two runs scored, with two workers each"


def assert_without_text(written: str) -> None:
    assert SECRET not in written
    assert KEPT not in written


def assert_rows_as_asked_for(out: pathlib.Path, *, has_raw: bool) -> None:
    """Kept fields are in the scores and the bytes of dead letters in `raw`; every way to be bad has a row."""
    seen = set()
    for folder, row in parts(out):
        kept, raw = row.pop("memo", None), row.pop("raw", None)
        assert_without_text(str(row))
        if folder == "scores":
            assert kept == KEPT
        elif has_raw:
            assert SECRET.encode() in raw
        else:
            assert raw is None
        seen.add(row["code"] if folder == "dead_letters" else str(row["status"]).upper())
    assert seen == {*RECORDS, "BAD_UTF8", "BAD_CSV_ROW"}


def parts(out: pathlib.Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each row that lies there with the folder it lies in, whether it is committed or not."""
    for folder in ("scores", "dead_letters"):
        for path in (out / folder).iterdir():
            for row in pq.ParquetFile(path).read().to_pylist():
                yield folder, row
