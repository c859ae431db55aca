"""`saiten train`: labels from files, and what is said when they will not do."""

import csv
import importlib
import json
import pathlib
from typing import Any

import pytest

from saiten.model.bundle.bundle import read_bundle
from saiten.model.engines.packing import pack_model
from saiten.model.engines.packing.packer import NotCoveredError
from saiten.model.training.findings import baseline_line
from saiten.pipelines.commands.main import main
from tests.helpers.labelled import reviews
from tests.helpers.reports import HeardPage

QUICK = [
    "--min_count=1", "--embedding_dim=8", "--word2vec_epochs=1", "--lstm_units=4", "--epochs=1", "--batch_size=64",
]  # fmt: skip
# A network with one part is made in half the time.
QUICKEST = [*QUICK, "--recipe=article"]


def _write_jsonl(path: pathlib.Path, records: list[Any]) -> pathlib.Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def _records(n: int) -> list[dict[str, Any]]:
    return [{"text": text, "good": good, "bad": str(bad)} for text, (good, bad) in reviews(n)]


def test_it_says_why_a_bundle_has_no_packed_engine(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every network that it trains is packed today; what becomes of one that is not must not go unsaid."""

    def pack_nothing(_model: object) -> None:
        raise NotCoveredError("Layer deep (Dense) is not covered by the packed engine.")

    # What is imported for the first time while the function is another one would keep that.
    importlib.import_module("saiten.model.bundle.packed_proof")
    monkeypatch.setattr(pack_model, "pack_model", pack_nothing)
    data = _write_jsonl(tmp_path / "data.jsonl", _records(40))
    assert main(["train", f"--input={data}", "--label_fields=good,bad", f"--bundle={tmp_path / 'b'}", *QUICKEST]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "engine" in line]
    said = "saiten: scores with keras engine only: Layer deep (Dense) is not covered by the packed engine"
    assert lines == [f"{said}; {tmp_path / 'b' / 'training.html'} shows the training"]


def test_jsonl_becomes_a_bundle(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [*_records(120), {"text": "店", "good": 1, "bad": None}, {"text": "  ", "good": 1, "bad": 0}]
    data = _write_jsonl(tmp_path / "data.jsonl", records)
    further = tmp_path / "further.txt"
    further.write_text("山道を歩く\n海を見る\n", encoding="utf-8")
    arguments = [f"--input={data}", "--label_fields=good,bad", f"--bundle={tmp_path / 'b'}", "--json"]
    assert main(["train", *arguments, f"--word2vec_input={further}", *QUICK]) == 0
    captured = capsys.readouterr()
    bundle = read_bundle(tmp_path / "b")
    assert bundle.outputs == ["good", "bad"]
    assert "海" in bundle.encoder().vocabulary.ids
    printed = json.loads(captured.out)
    assert printed.pop("bundle_id") == bundle.bundle_id
    assert printed == bundle.manifest.training
    assert printed["data"]["files"] == 1
    assert printed["data"]["further_texts"] == 2
    held_out = printed["data"]["held_out"]
    lines = captured.err.splitlines()
    assert [line.partition(" (")[0] for line in lines[:2]] == ["loading TensorFlow", "segmenting: 122"]
    assert (
        f"saiten: scores with packed and keras engines; {tmp_path / 'b' / 'training.html'} shows the training" in lines
    )
    held = printed["metrics"]["texts"]
    assert f"saiten: These are the figures of only {held} held-out texts: they are rough." in lines
    page = HeardPage((tmp_path / "b" / "training.html").read_text(encoding="utf-8"))
    page.check()
    assert any(line.startswith("epoch 1: loss ") for line in lines)
    assert lines[-1] == (
        f"saiten: 122 records read, {121 - held_out} trained on, {held_out} held out (a share of each class), "
        f"EMPTY 1; missing labels: bad 1; "
        f"1 epoch, then 2 on all texts; in {tmp_path / 'b'}"
    )
    assert main(["inspect", str(tmp_path / "b")]) == 0
    shown = [line.split(maxsplit=1) for line in map(str.strip, capsys.readouterr().out.splitlines())]
    assert ["recipe", "wide_deep"] in shown
    assert ["engines", "packed (without TensorFlow), keras"] in shown


@pytest.mark.thorough
def test_the_names_of_classes_become_the_outputs(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    records: list[Any] = [{"text": text, "stars": 1 if bad else 5.0} for text, (_, bad) in reviews(200)]
    records += [{"text": "店", "stars": " "}, {"text": "店"}]
    data, held_out = _write_jsonl(tmp_path / "a.jsonl", records), _write_jsonl(tmp_path / "b.jsonl", records[:40])
    arguments = [f"--input={data}", "--class_field=stars", f"--bundle={tmp_path / 'b'}", "--class_weight=balanced"]
    assert main(["train", *arguments, f"--validation_input={held_out}", "--baseline", *QUICK]) == 0
    bundle = read_bundle(tmp_path / "b")
    assert (bundle.outputs, bundle.manifest.task) == (["1", "5"], "classes")
    lines = capsys.readouterr().err.splitlines()
    assert "2 exclusive classes: probabilities by softmax, categorical_crossentropy" in lines
    n_equal = bundle.manifest.training["data"]["skipped"]["IN_VALIDATION_INPUT"]
    assert (
        "40 texts held out, --validation_input: none equals, normalised, one that is trained on; "
        f"left out: {n_equal} texts of --input that equal one of them"
    ) in lines
    assert lines[-7].startswith("saiten: 100.0% of the held-out texts' words are in the vocabulary, 0.0% of the texts")
    said = baseline_line(bundle.manifest.training["baseline"])
    assert lines[-6] == f"saiten: {said[:1].upper()}{said[1:]}."
    assert lines[-5] == "saiten: These are the figures of only 40 held-out texts: they are rough."
    assert lines[-4].startswith(f"saiten: The network was trained on {200 - n_equal} texts only;")
    assert lines[-3].startswith("saiten: The held-out loss still fell in epoch 1, the last that --epochs=1 allows: ")
    assert lines[-2].endswith(" of 40 held-out texts get their class.")
    assert lines[-1] == (
        f"saiten: 242 records read, {200 - n_equal} trained on, 40 held out (--validation_input), "
        f"IN_VALIDATION_INPUT {n_equal}, LABEL_MISSING 2; 1 epoch; in {tmp_path / 'b'}"
    )


def test_what_is_left_out_of_further_text_is_counted(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _write_jsonl(tmp_path / "data.jsonl", _records(60))
    (tmp_path / "further.jsonl").write_text('{"text": "山道"}\n{"text": " "}\n{}\n{"text": 1}\n[]\n', encoding="utf-8")
    further = f"--word2vec_input={tmp_path / 'further.jsonl'}"
    arguments = [f"--input={data}", "--label_fields=good", f"--bundle={tmp_path / 'b'}", further, "--quiet", *QUICKEST]
    assert main(["train", *arguments]) == 2
    assert capsys.readouterr().err.startswith("saiten: 3 of 5 records of --word2vec_input cannot be used (")
    assert not (tmp_path / "b").exists()
    assert main(["train", *arguments, "--max_dead_letter_rate=0.6"]) == 0
    left_out = "; left out of the further text: EMPTY 1, NOT_AN_OBJECT 1, TEXT_MISSING 1, TEXT_NOT_STRING 1; 1 epoch"
    assert left_out in capsys.readouterr().err
    data_of_training = read_bundle(tmp_path / "b").manifest.training["data"]
    assert (data_of_training["further_texts"], data_of_training["further_skipped"]) == (1, {"EMPTY": 1})


def test_further_text_in_another_encoding_is_refused(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Training would run on no further text, and nobody would know."""
    data = _write_jsonl(tmp_path / "data.jsonl", _records(60))
    (tmp_path / "further.txt").write_text("山道を歩く\n海を見る\n", encoding="cp932")
    arguments = [f"--input={data}", "--label_fields=good", f"--bundle={tmp_path / 'b'}", "--quiet", *QUICKEST]
    further = f"--word2vec_input={tmp_path / 'further.txt'}"
    assert main(["train", *arguments, further, "--max_dead_letter_rate=1"]) == 2
    expected = "saiten: None of the 2 records of --word2vec_input can be used (BAD_UTF8 2).\n"
    assert capsys.readouterr().err == expected


@pytest.mark.thorough
def test_csv_is_read_quietly(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "data.csv").open("w", encoding="cp932", newline="") as file:
        writer = csv.DictWriter(file, ["本文", "点"])
        writer.writeheader()
        writer.writerows({"本文": text, "点": good} for text, (good, _) in reviews(60))
    arguments = [f"--input={tmp_path / 'data.csv'}", "--encoding=cp932", "--text_field=本文", "--label_fields=点"]
    assert main(["train", *arguments, f"--bundle={tmp_path / 'b'}", "--quiet", *QUICK]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert read_bundle(tmp_path / "b").outputs == ["点"]


REFUSED = {
    "nothing-to-compare-on": (
        ["--label_fields=good", "--baseline", "--validation_fraction=0"],
        _records(3),
        "saiten: --baseline compares on held-out texts: leave out --validation_fraction=0.",
    ),
    "no-such-label": (
        ["--label_fields=good,stars"],
        _records(3),
        "saiten: None of the 3 records has a number in the label field 'stars'; check --label_fields.",
    ),
    "no-number": (
        ["--label_fields=text"],
        _records(3),
        (
            "saiten: The label field 'text' holds text where a number is meant, in 3 of 3 records; "
            "for names of classes give --class_field=text."
        ),
    ),
    "many-missing": (
        ["--label_fields=good"],
        [*_records(18), {"text": "店"}, {"text": "店", "good": "?"}],
        (
            "saiten: 2 of 20 records cannot be used (BAD_FIELD 1, LABEL_MISSING 1); mend them, "
            "or allow more than 0.01 of them by --max_dead_letter_rate=0.1. The first is data.jsonl:2437: "
            "The field 'good' is no double. If 'good' holds names of classes, give --class_field=good."
        ),
    ),
    "a-label-twice": (
        ["--label_fields=good,good"],
        _records(3),
        "saiten: --label_fields needs different names between commas, not 'good,good'.",
    ),
    "an-empty-label": (
        ["--label_fields=good,"],
        _records(3),
        "saiten: --label_fields needs different names between commas, not 'good,'.",
    ),
    "both-kinds-of-labels": (
        ["--label_fields=good", "--class_field=bad"],
        _records(3),
        "saiten: Give either --label_fields=a,b (numbers) or --class_field=NAME (names of classes).",
    ),
    "no-labels": (
        [],
        _records(3),
        "saiten: Give either --label_fields=a,b (numbers) or --class_field=NAME (names of classes).",
    ),
    "no-such-class-field": (
        ["--class_field=kind"],
        _records(3),
        "saiten: None of the 3 records has a name in the label field 'kind'; check --class_field.",
    ),
    "one-class": (
        ["--class_field=kind"],
        [{**record, "kind": "x"} for record in _records(3)],
        "saiten: There is but one class, 'x'; a model needs two to choose from.",
    ),
    "a-loss-for-names": (
        ["--class_field=bad", "--loss=binary_crossentropy"],
        _records(3),
        (
            "saiten: The names of classes are learned by categorical_crossentropy, not by binary_crossentropy: leave "
            "out --loss, or give the classes as fields of 0 and 1 by --label_fields."
        ),
    ),
    "a-label-that-is-held-out": (
        ["--label_fields=good,rare", "--validation_fraction=0.9", "--loss=mse"],
        [{**one, "text": f"{one['text']}{i}", "rare": 3 if i == 4 else None} for i, one in enumerate(_records(40))],
        (
            "saiten: All texts with a label 'rare' are held out, or have no word of the vocabulary: none is left to "
            "learn from. Label more, leave it out, or hold out others by --validation_input or --seed."
        ),
    ),
    "numbers-have-no-balance": (
        ["--label_fields=good", "--class_weight=balanced", "--loss=mse"],
        _records(60),
        "saiten: --class_weight=balanced is for classes; these labels are numbers.",
    ),
    "nothing-left": (
        ["--label_fields=good"],
        [{"text": " ", "good": 1}],
        "saiten: No text to train on is left: every one is empty, cannot be tokenized or has no label.",
    ),
    "a-setting": (
        ["--label_fields=good", "--lstm_units=0"],
        _records(3),
        "saiten: --lstm_units must be 1 or more, not 0.",
    ),
    "a-rate-above-one": (
        ["--label_fields=good", "--max_dead_letter_rate=1.5"],
        _records(3),
        "saiten: --max_dead_letter_rate is a share from 0 to 1, not 1.5.",
    ),
    "a-rate-that-is-none": (
        ["--label_fields=good", "--max_dead_letter_rate=nan"],
        _records(3),
        "saiten: --max_dead_letter_rate is a share from 0 to 1, not nan.",
    ),
    "a-misspelt-flag": (
        ["--label_fields=good", "--lstm_unit=3"],
        _records(3),
        "saiten: There is no flag --lstm_unit; did you mean --lstm_units?",
    ),
}


def test_a_label_that_a_header_lacks_is_refused_by_its_flag(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("text,x\n店,1\n", encoding="utf-8")
    assert main(["train", f"--input={tmp_path / 'a.csv'}", "--label_fields=y", f"--bundle={tmp_path / 'b'}"]) == 2
    assert "has the field 'y' of --label_fields; there are: 'text', 'x'" in capsys.readouterr().err


@pytest.mark.parametrize("name", REFUSED)
def test_what_will_not_do_is_refused_in_one_sentence_and_leaves_no_bundle(
    name: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags, records, message = REFUSED[name]
    data = _write_jsonl(tmp_path / "data.jsonl", records)
    assert main(["train", f"--input={data}", f"--bundle={tmp_path / 'b'}", "--quiet", *flags]) == 2
    assert capsys.readouterr().err.splitlines() == [message]
    assert not (tmp_path / "b").exists()


@pytest.mark.thorough
def test_more_bad_records_are_let_through_when_allowed(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _write_jsonl(tmp_path / "data.jsonl", [*_records(40), {"text": "店"}, 7])
    arguments = [f"--input={data}", "--label_fields=good", f"--bundle={tmp_path / 'b'}", "--max_dead_letter_rate=0.1"]
    assert main(["train", *arguments, "--quiet", *QUICKEST]) == 0
    assert ", LABEL_MISSING 1, NOT_AN_OBJECT 1; " in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["no-number", "no-such-label", "many-missing", "no-such-class-field", "a-loss-for-names"]
)
def test_what_is_wrong_with_the_labels_is_said_before_tensorflow_is_loaded(
    name: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading it takes seconds, on a busy machine minutes."""

    def load() -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr("saiten.pipelines.commands.train.import_tensorflow", load)
    flags, records, message = REFUSED[name]
    data = _write_jsonl(tmp_path / "data.jsonl", records)
    assert main(["train", f"--input={data}", f"--bundle={tmp_path / 'b'}", "--quiet", *flags]) == 2
    assert capsys.readouterr().err.splitlines() == [message]


def test_a_used_bundle_directory_is_refused(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = _write_jsonl(tmp_path / "data.jsonl", _records(3))
    assert main(["train", f"--input={data}", "--label_fields=good", f"--bundle={tmp_path}", "--quiet"]) == 2
    expected = f"saiten: {tmp_path} exists and is not empty; give a new directory for the bundle.\n"
    assert capsys.readouterr().err == expected
