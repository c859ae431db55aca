"""Every command and every Python example in the documentation runs, on small files of the names that they use."""

import contextlib
import csv
import gzip
import io
import json
import os
import pathlib
import re
import runpy
import shlex
import shutil
import sysconfig
from typing import Any

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.commands.main import main
from tests.helpers.labelled import reviews
from tests.helpers.scoring import score

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.ja.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Their commands are those of the English pages, which are run.
JAPANESE = {page: page.with_name(page.name.replace(".ja.", ".")) for page in PAGES if ".ja." in page.name}
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```", re.DOTALL | re.MULTILINE)
# A model that learns nothing in no time: what a page is about is that the command does what it says.
QUICK = [
    "--recipe=article",
    "--epochs=1",
    "--embedding_dim=4",
    "--word2vec_epochs=1",
    "--lstm_units=2",
    "--min_count=1",
]
# What runs elsewhere, for longer, or with another's files: each has a test of its own.
ELSEWHERE = re.compile(
    r"--runner|--streaming|--expected|gs://"
    r"|^(\./run_local\.sh|\./scripts/|python scripts/|python -m benchmarks|docker |gcloud )"
)
# Its example goes into the reader's own training program.
NOT_ALONE = ("your-own-model.md",)
N_RECORDS = 60


def blocks(page: pathlib.Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [content for name, _, content in found if name == language]


def commands(page: pathlib.Path) -> list[str]:
    lines = [line for block in blocks(page, "console") for line in block.replace("\\\n", " ").splitlines()]
    found = [line[2:].split(" #")[0].strip() for line in lines if line.startswith("$ ")]
    return [line.removeprefix(".venv/bin/") for line in found if not ELSEWHERE.search(line)]


def write_records(folder: pathlib.Path) -> None:
    """Writes the files that the pages name, all with the same reviews."""
    texts = [(text, [1 + 3 * good, 1 + 3 * bad]) for text, (good, bad) in reviews(N_RECORDS)]
    records: list[dict[str, Any]] = [
        {"id": f"r{i}", "body": text, "text": text, "本文": text, "taste": taste, "service": service, "shop": "a",
         "stars": i % 5, "category": "food" if taste > 2 else "inn", "verdict": "good" if taste > 2 else "bad"}
        for i, (text, (taste, service)) in enumerate(texts)
    ]  # fmt: skip
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    table = io.StringIO()
    writer = csv.DictWriter(table, records[0].keys())
    writer.writeheader()
    writer.writerows(records)
    for name in ("reviews", "news", "corpus", "held-out"):
        (folder / name).mkdir()
    for name in ("reviews/june.jsonl", "reviews.jsonl", "news.jsonl", "held-out.jsonl"):
        (folder / name).write_text(lines, encoding="utf-8")
    for name in ("reviews.csv", "new.csv", "news/a.csv", "held-out/a.csv"):
        (folder / name).write_text(table.getvalue(), encoding="utf-8")
    (folder / "corpus/a.csv.gz").write_bytes(gzip.compress(table.getvalue().encode("cp932")))
    (folder / "unlabelled.txt").write_text("\n".join(text for text, _ in texts), encoding="utf-8")
    (folder / "vectors.txt").write_text("3 4\n店 1 0 0 0\n味 0 1 0 0\n料理 0 0 1 0\n", encoding="utf-8")


def write_keras_model(folder: pathlib.Path) -> None:
    from keras import layers

    from tests.helpers.networks import build_model

    build_model(layers.LSTM(2), layers.Dense(2), vocabulary_size=4).save(folder / "model.keras")
    (folder / "tokenizer.json").write_text(json.dumps({"店": 1, "味": 2, "(": 3}), encoding="utf-8")


@pytest.fixture(scope="module")
def prepared(
    tiny_bundle: StoredBundle, class_bundle: StoredBundle, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    """A folder with all that a page finds when it is read alone."""
    folder = tmp_path_factory.mktemp("prepared")
    write_records(folder)
    write_keras_model(folder)
    for name, bundle in (("reviews", tiny_bundle), ("news", class_bundle), ("mine", tiny_bundle)):
        shutil.copytree(bundle.path, folder / "bundles" / name)
    # What `run_local.sh` leaves behind.
    shutil.copytree(tiny_bundle.path, folder / "local" / "bundle")
    for run in ("runs/may", "runs/june", "local/run"):
        assert score(tiny_bundle, folder / "reviews", folder / run, "--text_field=body", "--id_field=id") == 0
    return folder


@pytest.fixture
def place(prepared: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A copy of it, where the test stands."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_command(words: list[str]) -> int:
    """Runs a command as a reader would who follows the page from its beginning."""
    flags = dict(word[2:].partition("=")[::2] for word in words if word.startswith("--"))
    made = flags.get({"train": "bundle", "bundle": "bundle", "score": "output"}.get(words[0], ""))
    if made and "check" not in flags:
        shutil.rmtree(made, ignore_errors=True)
    own = QUICK if words[0] == "train" else []
    quick = [flag for flag in own if flag[2:].partition("=")[0] not in flags and "vectors" not in flags]
    return main([*words, *quick])


@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands(page) and page not in JAPANESE], ids=lambda page: page.name
)
@pytest.mark.thorough
def test_every_command_of_a_page_runs_in_its_order(
    page: pathlib.Path, place: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in commands(page):
        program, *words = shlex.split(line)
        assert program == "saiten", line
        code = run_command(words)
        said = capsys.readouterr().err
        assert code in (0, 3), f"{line}: {said}"
        if code == 3:
            assert re.search("dead|change|below", said), line


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if blocks(page, "python") and page.name not in NOT_ALONE],
    ids=lambda page: page.name,
)
@pytest.mark.thorough
def test_every_python_example_of_a_page_runs(page: pathlib.Path, place: pathlib.Path) -> None:
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for example in blocks(page, "python"):
            exec(compile(example, page.name, "exec"), names)


@pytest.mark.parametrize("japanese", JAPANESE, ids=lambda page: page.name)
def test_a_japanese_page_has_the_commands_of_the_english_one(japanese: pathlib.Path) -> None:
    english = JAPANESE[japanese]
    assert commands(japanese) == commands(english) != []
    links = f"[English]({english.name})", f"[日本語]({japanese.name})"
    assert [
        link in page.read_text(encoding="utf-8") for link, page in zip(links, (japanese, english), strict=True)
    ] == [
        True,
        True,
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_its_files_as_they_are(page: pathlib.Path) -> None:
    for _, name, content in BLOCK.findall(page.read_text(encoding="utf-8")):
        assert not name or (ROOT / "docs" / name).read_text(encoding="utf-8") == content


@pytest.mark.thorough
def test_the_readme_shows_what_run_local_says_today(
    prepared: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Line for line but for the numbers, which come of some minutes of training: here it is a small sample."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "scripts")
    monkeypatch.setattr("sys.argv", ["make_sample.py", "--out=sample", "--records=200", "--seed=6"])
    with contextlib.suppress(SystemExit):
        runpy.run_path(str(ROOT / "scripts/make_sample.py"), run_name="__main__")
    names = "taste,price,service,atmosphere,cleanliness,access,volume,overall"
    train = ["train", "--input=sample/train.jsonl", "--text_field=text", f"--label_fields={names}", "--bundle=b"]
    assert main([*train, *QUICK, "--epochs=2"]) == 0  # of one "1 epoch" is said
    kept = f"--keep_fields=text,{names.replace(',', ':float64,')}:float64"
    scoring = ["score", "--input=sample/reviews.jsonl", "--bundle=b", "--output=run", "--id_field=id", kept]
    assert main([*scoring, "--max_dead_letter_rate=1"]) == 3
    monkeypatch.setattr("sys.argv", ["show_scores.py", "run"])
    with contextlib.suppress(SystemExit):
        runpy.run_path(str(ROOT / "scripts/show_scores.py"), run_name="__main__")
    said = "".join(capfd.readouterr()).splitlines()
    lines = {masked(line) for line in [*said, "…"]}
    (block,) = re.findall(r"\$ \./run_local\.sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    frame = re.compile("(Environment|Training|Scoring|Scores|Dead letters|Bundle|More) +|[123]  ")
    shown = {masked(line) for line in block.splitlines() if not frame.match(line)}
    assert shown - lines == set()


def test_the_recording_is_of_such_a_run_and_of_no_place() -> None:
    """In asciinema's format: what anybody plays is what the README shows."""
    recording = (ROOT / "docs" / "run_local.cast").read_text(encoding="utf-8")
    header, *events = map(json.loads, recording.splitlines())
    assert (header["version"], header["width"], header["title"]) == (2, 80, "./run_local.sh")
    times = [at for at, _, _ in events]
    assert times == sorted(times)
    assert {kind for _, kind, _ in events} == {"o"}
    text = "".join(shown for _, _, shown in events)
    lines = {masked(re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", line.rpartition("\r")[2])) for line in text.split("\r\n")}
    (block,) = re.findall(r"(\$ \./run_local\.sh\n.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert {masked(line) for line in block.splitlines()} - lines == {"…"}
    assert len(recording) < 64 * 1024
    assert not re.search("/(tmp|home|root|work|Users)/", text)


def masked(line: str) -> str:
    """What stays of a line when its numbers, places and counted codes are taken out."""
    line = re.sub("; commonest OOV words.*|, then \\d+ on all texts|local/(?=run)", "", line)
    line = re.sub(r"in (local/)?\w+$", "in PLACE", line)
    line = re.sub(r"[A-Z_]{4,}\d? \d+(, )?", "", re.sub(r"-?\d[\d,.]*", "0", line))
    return " ".join(re.sub("follow the labels|hardly|loosely|[*]|(?<=─)─+", "", line).split())


@pytest.mark.thorough
def test_the_yaml_pipeline_scores(place: pathlib.Path) -> None:
    from apache_beam.yaml.main import run

    page = str(ROOT / "docs/examples/score_texts.yaml")
    # Beam's schema asks for a config, as a reader finds who has the extra's jsonschema: it is not installed here.
    assert "  - type: python\n    config: {}\n" in pathlib.Path(page).read_text(encoding="utf-8")
    run(["--yaml_pipeline_file", page, "--runner=FnApiRunner", "--json_schema_validation=none"])
    (scored,) = place.glob("scored*")
    found = dict(json.loads(line) for line in scored.read_text(encoding="utf-8").splitlines())
    assert sorted(found) == sorted(f"r{i}" for i in range(N_RECORDS))
    assert {tuple(scores) for scores in found.values()} == {("taste", "service")}


@pytest.mark.thorough
def test_the_web_handler_answers(place: pathlib.Path) -> None:
    application = runpy.run_path(str(ROOT / "docs/examples/web_handler.py"))["application"]

    def post(texts: object) -> tuple[str, Any]:
        sent, statuses = texts if isinstance(texts, bytes) else json.dumps(texts).encode(), []
        environ = {"wsgi.input": io.BytesIO(sent), "CONTENT_LENGTH": str(len(sent))}
        (answer,) = application(environ, lambda status, _: statuses.append(status))
        return statuses[0], json.loads(answer)

    status, rows = post(["とても美味しい。", ""])
    assert (status, set(rows[0]), rows[1]) == ("200 OK", {"taste", "service"}, None)
    assert [post(wrong)[0] for wrong in (["\ud83d"], [1], "one", b"{")] == ["400 Bad Request"] * 4


@pytest.mark.thorough
def test_the_notebook_runs_and_shows_what_it_shows(place: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cell by cell in one process: a kernel would bring thirty packages, and nothing that these cells need."""
    import matplotlib as mpl

    mpl.use("Agg")
    monkeypatch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)
    notebook = json.loads((ROOT / "docs/notebook.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], {cell["cell_type"] for cell in notebook["cells"]}) == (4, {"markdown", "code"})
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                assert cell["outputs"] == []
                exec(compile("".join(cell["source"]), "notebook.ipynb", "exec"), names)
    scores = ["score_bad", "score_good"]
    assert list(names["joined"])[:5] == ["id", "body", *scores, "label"]
    assert len(names["joined"]) == len(names["rated"]) == N_RECORDS
    assert names["joined"]["label"].isin(["bad", "good"]).all()
    assert (names["joined"]["label_score"] == names["joined"][scores].max(axis=1)).all()
    assert {"score_taste", "score_service"} <= set(names["rated"])
    assert [names[drawn].get_xlabel() for drawn in ("axes", "star_axes")] == ["probability of the label", "stars"]
    # Every review is in a bar.
    assert sum(bar.get_height() for bar in names["axes"].patches) == N_RECORDS
