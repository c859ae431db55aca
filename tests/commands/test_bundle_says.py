"""What `saiten bundle` says at its end, and what every command says of the engine."""

import json
import pathlib
import re

import keras
import numpy as np
import pytest
from keras import layers

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.pipelines.commands.main import main
from saiten.pipelines.local.choose_bundle import choose_bundle
from saiten.pipelines.local.settings import ScoreSettings
from tests.conftest import SENTENCES
from tests.helpers.forgery import reseal
from tests.helpers.networks import with_drawn_weights

WIDTH = 12
Output = pytest.CaptureFixture[str]


@pytest.fixture
def wide(tmp_path: pathlib.Path, tiny_bundle: StoredBundle, request: pytest.FixtureRequest) -> pathlib.Path:
    """A folder with a model that states its width, a plain word index, and texts with its scores."""
    further = getattr(request, "param", [])
    encoder = tiny_bundle.encoder()
    size = len(encoder.vocabulary)
    model = keras.Sequential(
        [
            keras.Input((WIDTH,), dtype="int32"),
            layers.Embedding(size, 4, mask_zero=True),
            layers.LSTM(3),
            layers.Dense(2),
            *(make() for make in further),
        ]
    )
    with_drawn_weights(model).save(tmp_path / "model.keras")
    ids = {word: i for i, word in enumerate(encoder.vocabulary.words)}
    (tmp_path / "words.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    matrix = np.zeros((len(SENTENCES), WIDTH), np.int32)
    for row, text in zip(matrix, SENTENCES, strict=True):
        found = [ids[token] for token in encoder.tokenizer.tokenize(text)][-WIDTH:]
        row[WIDTH - len(found) :] = found
    scores = np.asarray(model(matrix))
    lines = [json.dumps({"text": text, "scores": row.tolist()}) for text, row in zip(SENTENCES, scores, strict=True)]
    (tmp_path / "expected.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "texts.txt").write_text("良い\nzzz yyy xxx\n", encoding="utf-8")
    return tmp_path


def bundled(folder: pathlib.Path, *flags: str) -> int:
    arguments = [
        f"--{name}={folder / file}" for name, file in (("keras_model", "model.keras"), ("word_index", "words.json"))
    ]
    return main(["bundle", *arguments, "--outputs=taste,service", f"--bundle={folder / 'bundle'}", *flags])


def test_its_last_lines_say_what_was_settled_and_by_whom(wide: pathlib.Path, capsys: Output) -> None:
    """117 of 161 rows were wrong without a word where a model's own width was not taken."""
    flags = ("--oov=token", "--filters=none", "--normalization=nfkc", f"--expected={wide / 'expected.jsonl'}")
    assert bundled(wide, *flags) == 0
    said = capsys.readouterr().err.splitlines()
    tokenizer = (
        "saiten: tokenizer: unidic-lite (default), normalization nfkc (flag), surface (default), as written (default), "
        "not filtered (flag), white space such as U+3000 is a token (--split=space, default)"
    )
    assert said[:4] == [
        "saiten: length: at most 12 ids (the model's input)",
        "saiten: truncating: pre, drops a long text's beginning (default)",
        "saiten: OOV words: id 1, <oov> (flag)",
        tokenizer,
    ]
    assert said[4] == "saiten: compared with model.predict: 5 texts of --expected"
    assert said[5].endswith("2 outputs (numbers), packed and keras engines")
    assert read_bundle(wide / "bundle").manifest.encoder.max_sequence_length == WIDTH


def test_it_says_how_many_texts_of_a_long_file_were_compared(wide: pathlib.Path, capsys: Output) -> None:
    lines = (wide / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    (wide / "many.jsonl").write_text("\n".join(lines * 2_001), encoding="utf-8")
    flags = ("--oov=token", "--filters=none", "--normalization=nfkc", f"--expected={wide / 'many.jsonl'}")
    assert bundled(wide, *flags) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[4] == "saiten: compared with model.predict: 10,000 texts of --expected, the first of 10,005"


def test_texts_that_score_otherwise_make_no_bundle(wide: pathlib.Path, capsys: Output) -> None:
    assert (
        bundled(
            wide,
            "--oov=token",
            "--filters=none",
            "--normalization=nfkc",
            "--truncating=post",
            f"--expected={wide / 'expected.jsonl'}",
        )
        == 2
    )
    said = capsys.readouterr().err
    assert "of 5 texts of --expected score otherwise; the first is" in said
    assert said.count("\n") == 1
    assert not (wide / "bundle").exists()


def test_without_expected_scores_the_share_of_oov_words_is_told(wide: pathlib.Path, capsys: Output) -> None:
    assert bundled(wide, "--oov=token", "--filters=none", f"--sample_texts={wide / 'texts.txt'}") == 0
    said = capsys.readouterr().err
    assert "OOV share: 100.0% of 4 tokens of --sample_texts: that is high; are texts prepared as in training?" in said


def test_score_says_when_it_falls_back_to_keras_and_why(bundle_copy: pathlib.Path, capsys: Output) -> None:
    reason = "Layer conv (Conv1D) is not covered."
    (bundle_copy / "packed.npz").unlink()
    reseal(bundle_copy, packed={"covered": False, "reason": reason})
    assert main(["inspect", str(bundle_copy)]) == 0
    assert f"keras ({reason})" in " ".join(capsys.readouterr().out.split())
    chosen = choose_bundle(ScoreSettings(bundle=str(bundle_copy)))
    assert chosen.scoring.engine == "keras"
    assert capsys.readouterr().err == (
        f"saiten: scores with the keras engine, which takes longer than the packed one: {reason}\n"
    )


@pytest.mark.parametrize(
    ("wide", "reason"),
    [
        ([], ""),
        (
            [lambda: layers.Reshape((2, 1), name="turned"), layers.Flatten],
            "Layer turned (Reshape) gives more than a row a text.",
        ),
    ],
    indirect=["wide"],
    ids=["packed", "keras alone"],
)
def test_each_command_says_in_one_line_which_engine_there_is_and_why(
    wide: pathlib.Path, reason: str, tmp_path: pathlib.Path, capsys: Output
) -> None:
    assert bundled(wide, "--oov=token", "--filters=none") == 0
    engines = f"keras engine only: {reason}" if reason else "packed and keras engines"
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"2 outputs (numbers), {engines}")
    assert main(["inspect", str(wide / "bundle")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"engines {f'keras ({reason})' if reason else 'packed (without TensorFlow), keras'} " in shown
    assert main(["validate", f"--bundle={wide / 'bundle'}"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "packed engine" in line]
    assert len(lines) == 1
    proved = r"✓  packed engine   \d+ texts: \S+ from the model in double precision, Keras \S+"
    assert re.fullmatch(re.escape(f"✓  packed engine   not in the bundle: {reason}") if reason else proved, lines[0])
    flags = [f"--input={wide / 'texts.txt'}", f"--output={tmp_path / 'run'}", f"--bundle={wide / 'bundle'}"]
    assert main(["score", *flags, "--workers=1", "--quiet"]) == 0
    falls_back = f"saiten: scores with the keras engine, which takes longer than the packed one: {reason}"
    said = [line for line in capsys.readouterr().err.splitlines() if "engine" in line]
    assert said == ([falls_back] if reason else [])
    assert main(["score", *flags, "--engine=keras", "--overwrite", "--workers=1", "--quiet"]) == 0
    assert "engine" not in capsys.readouterr().err  # it was asked for
