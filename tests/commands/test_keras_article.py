"""The article's way, end to end: people's Tokenizer, padding and model give their numbers in Saiten."""

import json
import pathlib
from typing import Any

import keras
import MeCab
import numpy as np
import pytest
import tensorflow as tf
import unidic_lite
from keras import layers

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.pipelines.commands import bundle as bundle_command
from saiten.pipelines.commands.main import main
from tests.conftest import SENTENCES
from tests.helpers.forgery import copy_dictionary

UNSEEN = (
    "とても親切なラーメン屋でした。また行きます！",
    "ＡＢＣ ABC Abc，(括弧) [brackets] #tag",
    "高い値段でしたが、料理は美味しい。" * 60,
    "zzz 未知語だらけ",
    "良かったです",
)
LENGTH = 100  # shorter than one of the texts, so that its beginning is lost


def segment(texts: tuple[str, ...]) -> list[str]:
    tagger = MeCab.Tagger(f'-r /dev/null -d "{unidic_lite.DICDIR}" -Owakati')
    return [tagger.parse(text).strip() for text in texts]


def make_model(tokenizer: Any, tokens: list[Any], epochs: int) -> Any:
    """The article's network, trained a little where epochs are asked for."""
    matrix = tf.keras.preprocessing.sequence.pad_sequences(tokenizer.texts_to_sequences(tokens), maxlen=LENGTH)
    size = tokenizer.num_words or len(tokenizer.word_index) + 1
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [layers.Embedding(size, 12, mask_zero=True), layers.LSTM(32), layers.Dense(3, activation="sigmoid")]
    )
    model.compile("adam", "mse")
    labels = np.random.default_rng(0).random((len(tokens), 3))
    model.build(matrix.shape)
    if epochs:
        model.fit(matrix, labels, epochs=epochs, verbose=0)
    return model


def predict(model: Any, tokenizer: Any, tokens: list[Any]) -> Any:
    sequences = tokenizer.texts_to_sequences(tokens)
    matrix = tf.keras.preprocessing.sequence.pad_sequences(sequences, maxlen=LENGTH)
    return model.predict(matrix, batch_size=len(matrix), verbose=0)


RECIPES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "strings, words dropped": ({}, "text", ["--oov=drop"]),
    "strings, an OOV word": ({"oov_token": "<unk>"}, "text", []),
    "strings, the commonest words": ({"num_words": 12}, "text", []),
    "strings, the commonest words and an OOV word": ({"num_words": 12, "oov_token": "<unk>"}, "text", []),
    "lists of tokens": ({}, "tokens", ["--tokenizer_input=tokens"]),
    "case and punctuation kept": ({"lower": False, "filters": ""}, "text", []),
}

# One that drops words and one that is fed with lists are tried always.
DEAR = [
    recipe
    if name in ("strings, words dropped", "lists of tokens")
    else pytest.param(*recipe, marks=pytest.mark.thorough)
    for name, recipe in RECIPES.items()
]


@pytest.mark.parametrize(("options", "fed_with", "flags"), DEAR, ids=RECIPES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_saiten_gives_the_numbers_of_predict(
    options: dict[str, Any], fed_with: str, flags: list[str], tmp_path: pathlib.Path
) -> None:
    tokenizer = tf.keras.preprocessing.text.Tokenizer(**options)
    seen, unseen = (
        texts if fed_with == "text" else [text.split(" ") for text in texts]
        for texts in (segment(SENTENCES), segment(UNSEEN))
    )
    tokenizer.fit_on_texts(seen)
    model = make_model(tokenizer, seen, epochs=0 if options else 2)
    model.save(tmp_path / "model.keras")
    (tmp_path / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
    assert run_bundle(tmp_path, *flags) == 0

    bundle = read_bundle(tmp_path / "bundle")
    encoded = bundle.encoder().encode(UNSEEN)
    ids = [part.tolist() for part in np.split(encoded.token_ids, encoded.offsets[1:-1])]
    assert ids == [sequence[-LENGTH:] for sequence in tokenizer.texts_to_sequences(unseen)]
    assert max(map(len, ids)) == LENGTH
    scored, expected = encoded.lengths > 0, predict(model, tokenizer, unseen)
    for engine in ("packed",) if options else ("packed", "keras"):
        scores = bundle.engine(engine).score(encoded.token_ids, encoded.offsets)
        np.testing.assert_allclose(scores[scored], expected[scored], atol=1e-5)


def run_bundle(folder: pathlib.Path, *flags: str) -> int:
    return main(
        [
            "bundle",
            f"--keras_model={folder / 'model.keras'}",
            f"--word_index={folder / 'tokenizer.json'}",
            "--outputs=taste,service,price",
            f"--bundle={folder / 'bundle'}",
            f"--max_sequence_length={LENGTH}",
            *flags,
        ]
    )


@pytest.fixture
def existing(tmp_path: pathlib.Path, tiny_bundle: StoredBundle) -> pathlib.Path:
    """A folder with a model and a plain word index, as people have them."""
    (tmp_path / "model.keras").write_bytes((tiny_bundle.path / "model.keras").read_bytes())
    words = {f"w{i}": i for i in range(1, tiny_bundle.manifest.encoder.num_words)}
    (tmp_path / "tokenizer.json").write_text(json.dumps(words), encoding="utf-8")
    return tmp_path


def with_flags(folder: pathlib.Path, **flags: str) -> list[str]:
    settings = {
        "keras_model": folder / "model.keras",
        "word_index": folder / "tokenizer.json",
        "outputs": "taste,service",
        "bundle": folder / "bundle",
        **flags,
    }
    return ["bundle", "--lower", "--filters=none", *(f"--{name}={value}" for name, value in settings.items())]


def test_a_plain_index_and_sample_texts_do(existing: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (existing / "texts.txt").write_text("w1 w2 w3\nw4\n", encoding="utf-8")
    assert main([*with_flags(existing, oov_token="w1", sample_texts=str(existing / "texts.txt"))]) == 0
    bundle = read_bundle(existing / "bundle")
    assert bundle.manifest.encoder.oov_id == 1
    assert bundle.manifest.training == {
        "made_from": "model.keras", "file": f".keras of Keras {keras.version()}", "word_index": "tokenizer.json",
    }  # fmt: skip
    assert "2 outputs (numbers), packed and keras engines" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"keras_model": "nowhere.keras"}, "There is no Keras model at nowhere.keras"),
        ({"word_index": "nowhere.json"}, "There is no word index at nowhere.json"),
        ({"outputs": "taste"}, "The model gives 2 scores a text, but 1 output is named; name each."),
        ({"outputs": "taste,taste"}, "different names"),
        ({"outputs": "taste,\x1b"}, "holds a control character"),
        ({"oov": "token"}, "--oov=token needs the word"),
        ({"oov_token": "<unk>"}, "'<unk>' is not in the word index"),
        ({"num_words": "0"}, "num_words must be 1 or more"),
        ({"max_sequence_length": "0"}, "max_sequence_length must be 1 or more"),
        ({"dictionary": "nowhere"}, "nowhere holds no MeCab dictionary"),
        ({"sample_texts": "nowhere.txt"}, "--sample_texts=nowhere.txt cannot be read"),
        ({"truncating": "left"}, "--truncating is pre or post, not 'left'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    flags: dict[str, str], message: str, existing: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(with_flags(existing, **flags)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not (existing / "bundle").exists()


@pytest.mark.thorough
def test_a_dictionary_by_path_is_found_wherever_the_bundle_is_used(
    existing: pathlib.Path, reviews: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_dictionary(existing / "dictionary")
    path = existing / "bundle"
    monkeypatch.chdir(existing)
    assert main([*with_flags(existing, dictionary="dictionary", oov_token="w1")]) == 0
    monkeypatch.chdir(existing.parent)
    score = ["score", f"--input={reviews}", f"--bundle={path}", f"--output={existing / 'out'}"]
    for command in (score, ["explain", f"--bundle={path}", "良い"], ["validate", f"--bundle={path}"]):
        assert main(command) == 0


def test_flags_are_those_of_the_design() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    bundle_command.add_arguments(parser)
    parsed = parser.parse_args(["--keras_model=m", "--word_index=w", "--outputs=a", "--bundle=b"])
    assert (parsed.max_sequence_length, parsed.truncating, parsed.dictionary) == (None, "pre", "unidic-lite")
