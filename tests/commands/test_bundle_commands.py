"""`saiten validate`, `inspect` and `explain`: what a person reads, and what they cannot be made to show."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.model.bundle.writer import write_bundle
from saiten.model.text.encoder import Encoder
from saiten.pipelines.commands.main import main
from tests.helpers.forgery import bundle_fields, reseal

Output = pytest.CaptureFixture[str]


def test_validate_shows_a_line_for_all_that_holds(tiny_bundle: StoredBundle, capsys: Output) -> None:
    assert main(["validate", f"--bundle={tiny_bundle.path}"]) == 0
    captured = capsys.readouterr()
    assert [line.split()[1] for line in captured.out.splitlines()] == [
        "files", "dictionary", "golden", "segmenter", "reference", "mask", "keras", "padding", "packed",
    ]  # fmt: skip
    assert captured.err == f"saiten: {tiny_bundle.path} holds: 9 checks, bundle {tiny_bundle.bundle_id[:12]}\n"


def test_validate_refuses_with_one_sentence(bundle_copy: pathlib.Path, capsys: Output) -> None:
    (bundle_copy / "packed.npz").write_bytes(b"x")
    assert main(["validate", f"--bundle={bundle_copy}"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"saiten: {bundle_copy}/packed.npz has 1 bytes, not ")
    assert captured.err.count("\n") == 1


def test_inspect_shows_a_bundle(tiny_bundle: StoredBundle, capsys: Output) -> None:
    assert main(["inspect", str(tiny_bundle.path)]) == 0
    short = capsys.readouterr().out
    assert short.startswith(
        f"{tiny_bundle.path} is a bundle: its files are whole, and it has passed the tests of its making."
    )
    assert "sha256" not in short
    assert short.endswith("--all shows every setting, version and file.\n")
    assert main(["inspect", "--all", str(tiny_bundle.path)]) == 0
    rows = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert tiny_bundle.bundle_id in rows["bundle_id"]
    assert "a number each" in rows["outputs"]
    assert "taste, service" in rows["outputs"]
    assert "words (Embedding) > lstm" in rows["network"]
    assert "packed (without TensorFlow), keras" in rows["engines"]
    assert "unidic-lite" in rows["tokenizer"]
    assert "OOV words: token" in rows["vocabulary"]
    assert "at most 400 ids, truncating pre" in rows["sequences"]
    assert {"padding", "libraries", "model.keras", "packed.npz"} <= rows.keys()


RUN = {
    "run_id": "20261122-103000-abcdef",
    "bundle_id": "b" * 64,
    "outputs_scored": ["taste", "service"],
    "engine": "packed",
    "seconds": 12.5,
    "started": "2026-11-22T10:30:00Z",
    "finished": "2026-11-22T10:30:12Z",
    "counts": {"records": 1200, "scored": 1190, "empty": 4, "dead": 6, "duplicate_ids": 0},
    "dead_letter_codes": {"BAD_UTF8": 5, "BAD_JSON": 1},
    "settings": {"text_field": "text", "nested": {"a": [1, 2.5]}},
    "inputs": [{"source": "a.jsonl", "records": 1200, "scored": 1190, "empty": 4, "dead": 6}],
    "outputs": [{"path": "scores/part-0.parquet", "rows": 1194, "bytes": 5000, "sha256": "c" * 64}],
}


def write_run(folder: pathlib.Path, **changes: object) -> str:
    (folder / "manifest.json").write_text(json.dumps({**RUN, **changes}), encoding="utf-8")
    return str(folder)


def test_inspect_shows_a_run(tmp_path: pathlib.Path, capsys: Output) -> None:
    (tmp_path / "_SUCCESS").touch()
    assert main(["inspect", write_run(tmp_path)]) == 0
    short = capsys.readouterr().out
    assert short.startswith(f"{tmp_path} is a whole run. 1,190 of 1,200 records were scored; 4 are empty; 6 could not")
    assert "\n!  0.5 % of the records could not be scored: BAD_UTF8 5, BAD_JSON 1." in short
    assert "a.jsonl" not in short
    assert main(["inspect", "--all", write_run(tmp_path)]) == 0
    shown = capsys.readouterr().out
    for part in (
        "1,200 = 1,190 scored + 4 empty + 6 dead letters ",
        "BAD_UTF8 5, BAD_JSON 1",
        "a.jsonl: 1,200 records = 1,190 scored + 4 empty + 6 dead letters",
        "scores/part-0.parquet: 1,194 rows, 5,000 bytes",
        "12.5 s, 96 records/s, 2026-11-22T10:30:00Z",
        "settings.nested",
    ):
        assert part in shown
    assert "no result" not in shown


def test_inspect_gives_machines_the_manifest(tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output) -> None:
    assert main(["inspect", "--json", str(tiny_bundle.path)]) == 0
    assert json.loads(capsys.readouterr().out) == bundle_fields(tiny_bundle.path)
    assert main(["inspect", "--json", write_run(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["run_id"], found["counts"], found["settings"]) == (RUN["run_id"], RUN["counts"], RUN["settings"])


TRAINED = {
    "data": {"used": 2_200, "held_out": 200, "tokens": 90_000},
    "settings": {"recipe": "article", "epochs": None, "max_sequence_length": 100},
    "epochs": [{"epoch": 1, "loss": 0.5, "held_out_loss": 0.4, "is_best": True, "seconds": 1.0}],
    "coverage": {"vocabulary": 0.8, "truncated": 0.0, "oov_words": []},
    "metrics": {"texts": 200, "outputs": {"taste": {"mse": 0.1, "spearman": 0.9}}, "mean": {"spearman": 0.9}},
}


def test_inspect_says_how_good_a_bundle_is(bundle_copy: pathlib.Path, capsys: Output) -> None:
    reseal(bundle_copy, training=TRAINED)
    assert main(["inspect", str(bundle_copy)]) == 0
    shown = capsys.readouterr().out
    assert [line[:60] for line in shown.splitlines()[1:4]] == [
        "!  20% of the held-out words are not in the vocabulary; more",
        "✓  On 200 held-out texts the scores follow the labels: mean ",
        "",
    ]  # fmt: skip
    assert "trained on  2,200 texts, 200 of them held out, 90,000 tokens" in shown
    assert "taste  0.1     0.900" in shown


@pytest.mark.parametrize("metrics", [{"texts": "many"}, {"texts": 1, "mean": {"spearman": "[red]"}}, 7])
def test_figures_of_a_wrong_type_are_not_believed(metrics: object, bundle_copy: pathlib.Path, capsys: Output) -> None:
    reseal(bundle_copy, training={**TRAINED, "metrics": metrics})
    assert main(["inspect", str(bundle_copy)]) == 0
    assert "held-out words" not in capsys.readouterr().out


def test_inspect_says_that_a_run_is_not_whole(tmp_path: pathlib.Path, capsys: Output) -> None:
    assert main(["inspect", write_run(tmp_path)]) == 0
    assert "is no result: it has no _SUCCESS" in " ".join(capsys.readouterr().out.split())


def test_inspect_stays_a_page(tmp_path: pathlib.Path, capsys: Output) -> None:
    outputs = [{"path": f"scores/part-{i}.parquet", "rows": 1, "bytes": 1} for i in range(1000)]
    assert main(["inspect", "--all", write_run(tmp_path, outputs=outputs)]) == 0
    shown = capsys.readouterr().out
    assert "and 980 more files" in shown
    assert len(shown.splitlines()) < 60


def test_inspect_escapes_what_comes_from_people(tmp_path: pathlib.Path, capsys: Output) -> None:
    """A file's name may hold what moves the cursor or looks like rich's markup."""
    inputs = [{"source": "[red]\x1b[2J\u202ebad.txt", "records": 1, "scored": 1, "empty": 0, "dead": 0}]
    assert main(["inspect", "--all", write_run(tmp_path, inputs=inputs)]) == 0
    shown = capsys.readouterr().out
    assert "[red]\\x1b[2J\\u202ebad.txt: 1 record =" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "neither a bundle nor a committed run"),
        (b"{", "cannot be read as JSON"),
        (b"[" * 200_000, "cannot be read as JSON"),
        (b"\xff", "cannot be read as JSON"),
        (b"[]", "that is no run's"),
        (b'{"name": "package"}', "that is no run's"),
    ],
)
def test_inspect_refuses_other_folders(
    content: bytes | None, message: str, tmp_path: pathlib.Path, capsys: Output
) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)
    assert main(["inspect", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_a_run_a_bundle_and_a_file_are_told_apart_from_what_was_meant(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    run, bundle = write_run(tmp_path), str(tiny_bundle.path)
    said = "is a run, the output of saiten score, and no bundle: give the bundle's directory."
    for command in (["score", "--input=a.txt", f"--output={tmp_path / 'out'}"], ["validate"], ["explain", "良い"]):
        assert main([*command, f"--bundle={run}"]) == 2
        assert capsys.readouterr().err == f"saiten: {run} {said}\n"
    for arguments, problem in (
        (["validate", f"--bundle={bundle}/model.keras"], "model.keras is a file: give the bundle's directory."),
        (["validate", f"--bundle={bundle}x"], "x; saiten train or saiten bundle makes one."),
        (["compare", bundle, run], "is a bundle, and no run: give the --output of a saiten score."),
        (["inspect", f"{bundle}x"], "x; give a bundle's or a run's directory."),
        (["inspect", f"{bundle}/model.keras"], "is a file; give a bundle's or a run's directory."),
    ):
        assert main(arguments) == 2
        assert capsys.readouterr().err.endswith(f"{problem}\n")


def test_inspect_refuses_a_bundle_that_was_changed(bundle_copy: pathlib.Path, capsys: Output) -> None:
    reseal(bundle_copy, invariance=...)
    assert main(["inspect", str(bundle_copy)]) == 2
    assert "invariance proof is missing" in capsys.readouterr().err


def test_names_of_outputs_are_escaped(
    encoder: Encoder, tiny_model: object, tmp_path: pathlib.Path, capsys: Output
) -> None:
    write_bundle(
        tmp_path / "b", model=tiny_model, encoder=encoder, outputs=["[bold]\u202e", "b"], golden_texts=[],
        training={"note": "[red]"}, reference={},
    )  # fmt: skip
    assert main(["inspect", "--all", str(tmp_path / "b")]) == 0
    assert main(["explain", f"--bundle={tmp_path / 'b'}", "高い"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("[bold]\\u202e") == 2
    assert "note [red]" in shown
    assert "\u202e" not in shown


# --- what is not this machine's own ---


def test_a_reader_that_has_gone_is_no_error(tiny_bundle: StoredBundle) -> None:
    """`saiten explain ... | head -1`; rich would end it with exit 1."""
    reading, writing = os.pipe()
    os.close(reading)
    arguments = ["explain", f"--bundle={tiny_bundle.path}", "良い"]
    with os.fdopen(writing, "wb") as gone:
        ended = subprocess.run(
            [sys.executable, "-m", "saiten.pipelines.commands.main", *arguments], stdout=gone, check=False
        )
    assert ended.returncode == 0


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


FORGED_BUNDLES: dict[str, tuple[dict[str, object], str]] = {
    "no oov": ({"oov": ...}, "oov is missing"),
    "a list for oov": ({"oov": ["token"]}, "oov is missing or of the wrong type"),
    "a proof without widths": (
        {"invariance": {"passed": True, "largest_difference": 0, "texts": 1}},
        r"invariance.sequence_lengths is missing",
    ),
    "a proof of words": (
        {"invariance": {"passed": True, "largest_difference": 0, "texts": "all", "sequence_lengths": [1]}},
        "invariance.texts is missing or of the wrong type",
    ),
    "a network of no layers": ({"network": 1}, "network is missing or of the wrong type"),
    "a length in words": ({"max_sequence_length": "long"}, "max_sequence_length is missing or of the wrong type"),
    "settings nested deep": ({"training": {"seed": nested(700)}}, "nested too deep"),
}


@pytest.mark.parametrize(("changes", "message"), FORGED_BUNDLES.values(), ids=FORGED_BUNDLES)
def test_inspect_refuses_a_forged_bundle_with_one_sentence(
    changes: dict[str, object], message: str, bundle_copy: pathlib.Path, capsys: Output
) -> None:
    reseal(bundle_copy, **changes)
    assert main(["inspect", str(bundle_copy)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize(
    "changes",
    [{"training": "much"}, {"training": {"settings": 1}}, {"libraries": [1]}, {"training": {"a" * 500: {"b": 1}}}],
)
def test_inspect_shows_what_it_knows_of_whatever_lies_beside_it(
    changes: dict[str, object], bundle_copy: pathlib.Path, capsys: Output
) -> None:
    reseal(bundle_copy, **changes)
    assert main(["inspect", "--all", str(bundle_copy)]) == 0
    assert read_bundle(bundle_copy).bundle_id in capsys.readouterr().out


def test_inspect_refuses_a_dictionary_without_a_version(
    bundle_copy: pathlib.Path, tiny_bundle: StoredBundle, capsys: Output
) -> None:
    tokenizer = {
        key: value for key, value in bundle_fields(tiny_bundle.path)["tokenizer"].items() if key != "dictionary_version"
    }
    reseal(bundle_copy, tokenizer=tokenizer)
    assert main(["inspect", str(bundle_copy)]) == 2
    assert "tokenizer.dictionary_version is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes",
    [
        {"counts": [1]},
        {"counts": {"records": "all"}},
        {"dead_letter_codes": "BAD_JSON"},
        {"dead_letter_codes": {"BAD_JSON": None}},
        {"inputs": 1},
        {"inputs": ["a.txt"]},
        {"inputs": [{"source": "a.txt", "records": "all", "scored": None}]},
        {"outputs": {"path": "x"}},
        {"outputs": [{"path": 1, "rows": [], "bytes": {}}]},
    ],
)
def test_inspect_shows_a_forged_run_without_a_traceback(
    changes: dict[str, object], tmp_path: pathlib.Path, capsys: Output
) -> None:
    assert main(["inspect", write_run(tmp_path, **changes)]) == 0
    assert RUN["run_id"] in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["pipe", "link"])
@pytest.mark.parametrize("beside", [None, "model.keras"])
def test_inspect_opens_no_pipe_and_follows_no_link(
    kind: str, beside: str | None, tmp_path: pathlib.Path, capsys: Output
) -> None:
    folder = tmp_path / "forged"
    folder.mkdir()
    if beside:
        (folder / beside).touch()
    if kind == "pipe":
        os.mkfifo(folder / "manifest.json")
    else:
        write_run(tmp_path)
        (folder / "manifest.json").symlink_to(tmp_path / "manifest.json")
    assert main(["inspect", str(folder)]) == 2
    assert "it has no manifest.json" in capsys.readouterr().err


def test_inspect_reads_no_manifest_as_large_as_memory(tmp_path: pathlib.Path, capsys: Output) -> None:
    with (tmp_path / "manifest.json").open("wb") as file:
        file.truncate(1 << 40)
    assert main(["inspect", str(tmp_path)]) == 2
    assert "is larger than 268,435,456 bytes" in capsys.readouterr().err
    (tmp_path / "golden.jsonl").touch()
    assert main(["inspect", str(tmp_path)]) == 2
    assert "is larger than 16,777,216 bytes" in capsys.readouterr().err
