"""How texts became tokens comes back with a bundle, and they score as they did; older bundles too."""

import argparse
import json
import pathlib

import numpy as np
import pytest
from keras import layers

from saiten.model.bundle.bundle import read_bundle
from saiten.model.bundle.replay import replay_ids
from saiten.model.bundle.writer import write_bundle
from saiten.model.text.encoder import Encoder
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.text.vocabulary import OOV_ID, OOV_WORD, PAD_WORD, Vocabulary
from saiten.model.training.corpus import count_words
from saiten.model.training.words.embeddings import Sentences
from saiten.pipelines.commands.flags import add_text_arguments, tokenizer_config
from saiten.pipelines.commands.main import main
from tests.helpers.labelled import reviews
from tests.helpers.networks import build_model

TEXTS = ["私はパソコンを持って行きました。", "ピンチでした。", "パソコンが高い"]


def encoder_of(config: TokenizerConfig) -> Encoder:
    """Knows every word of the texts as the settings have it."""
    tokenizer = Tokenizer(config)
    words = sorted(count_words(map(tokenizer.segment, TEXTS)))
    return Encoder(tokenizer, Vocabulary([PAD_WORD, OOV_WORD, *words], OOV_ID), 400, "pre")


SETTINGS = {
    "lemma": TokenizerConfig(token_form="lemma", split="none"),
    "lemma, as before": TokenizerConfig(token_form="lemma", version=1),
    "short-lemma": TokenizerConfig(token_form="short-lemma", split="none", keep_pos=("名詞", "動詞")),
    "base": TokenizerConfig(token_form="base", split="none", suffix_token="</s>"),
    "stop words with a space": TokenizerConfig(
        token_form="lemma", split="none", stop_words=("パソコン-personal computer",), prefix_token="<s>"
    ),
}


@pytest.mark.parametrize("config", SETTINGS.values(), ids=SETTINGS)
def test_settings_of_words_come_back_and_score_alike(config: TokenizerConfig, tmp_path: pathlib.Path) -> None:
    encoder = encoder_of(config)
    words = encoder.vocabulary.ids
    assert ("パソコン-personal computer" in words) == (config is SETTINGS["lemma"])
    written = write_bundle(
        tmp_path / "bundle",
        model=build_model(layers.LSTM(4), layers.Dense(1), vocabulary_size=len(words) + 2),
        encoder=encoder,
        outputs=["a"],
        golden_texts=TEXTS,
        training={},
        reference={},
    )
    bundle = read_bundle(written.path)
    read = bundle.encoder()
    assert read.tokenizer.config == config
    replay_ids(bundle, read)
    encoded, before = read.encode(TEXTS), encoder.encode(TEXTS)
    np.testing.assert_array_equal(encoded.token_ids, before.token_ids)
    assert encoded.n_oov.sum() == 0
    tokens = [token for text in TEXTS for token in read.tokenizer.tokenize(text)]
    assert [words[token] for token in tokens] == encoded.token_ids.tolist()


def test_words_that_hold_a_space_are_counted_and_learnt_whole() -> None:
    tokenizer = Tokenizer(SETTINGS["lemma"])
    lines = [*map(tokenizer.segment, TEXTS)]
    assert count_words(lines)["パソコン-personal computer"] == 2
    assert next(iter(Sentences(lambda: lines)))[:3] == ["私-代名詞", "は", "パソコン-personal computer"]


def test_a_full_width_space_is_a_stop_word_like_others(tmp_path: pathlib.Path) -> None:
    """As a token it is one of the commonest; behind a word it is a slip, as blanks and line ends of Windows are."""
    (tmp_path / "stop.txt").write_bytes("の\r\n　\nは　\n\n  も \n".encode())
    parser = argparse.ArgumentParser()
    add_text_arguments(parser, normalization="none")
    args = parser.parse_args([f"--stop_words={tmp_path / 'stop.txt'}"])
    assert tokenizer_config(args).stop_words == ("の", "　", "は", "も")


@pytest.mark.thorough
def test_train_keeps_what_its_flags_say(tmp_path: pathlib.Path) -> None:
    """`--token_form`, `--keep_pos`, `--stop_words`, `--prefix_token` and `--suffix_token` of `train`, whole."""
    texts = [f"{text}パソコンの画面だ。" for text, _ in reviews(60)]
    lines = [
        json.dumps({"text": text, "good": labels[0]}, ensure_ascii=False)
        for text, (_, labels) in zip(texts, reviews(60), strict=True)
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "stop.txt").write_text("店\n画面\n", encoding="utf-8")
    flags = ["--token_form=lemma", "--keep_pos=名詞,動詞", f"--stop_words={tmp_path / 'stop.txt'}"]
    flags += ["--prefix_token=<s>", "--suffix_token=</s>", "--min_count=1", "--epochs=1", "--recipe=article"]
    bundle = tmp_path / "bundle"
    files = [f"--input={tmp_path / 'data.jsonl'}", "--label_fields=good", f"--bundle={bundle}"]
    assert main(["train", *files, *flags, "--embedding_dim=8", "--word2vec_epochs=1", "--lstm_units=4"]) == 0
    encoder = read_bundle(bundle).encoder()
    assert encoder.tokenizer.config == TokenizerConfig(
        token_form="lemma",
        split="none",
        keep_pos=("名詞", "動詞"),
        stop_words=("店", "画面"),
        prefix_token="<s>",
        suffix_token="</s>",
    )
    assert encoder.tokenizer.tokenize("店のパソコンが良い。") == ["<s>", "パソコン-personal computer", "</s>"]
    assert encoder.encode(["店のパソコンが良い。"]).n_oov.tolist() == [0]
    assert main(["validate", f"--bundle={bundle}"]) == 0
