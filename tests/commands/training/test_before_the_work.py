"""What can be judged before the work is judged before it: nothing heavy is loaded for a flag that will not do."""

import json
import pathlib

import pytest

from saiten.pipelines.commands.main import main
from tests.helpers.labelled import write_records

Output = pytest.CaptureFixture[str]
REFUSED = {
    "--epochs=0": "--epochs must be 1 or more, not 0.",
    "--lstm_units=0": "--lstm_units must be 1 or more, not 0.",
    "--embedding_dim=0": "--embedding_dim must be 1 or more, not 0.",
    "--word2vec_epochs=0": "--word2vec_epochs must be 1 or more, not 0.",
    "--validation_fraction=1": "--validation_fraction must be 0 or more and below 1, not 1.0.",
    "--validation_input=no.csv": "No file matches 'no.csv'; check --validation_input for a misspelt name or an empty "
    "directory.",
    "--word2vec_input=no.txt": "No file matches 'no.txt'; check --word2vec_input for a misspelt name or an empty "
    "directory.",
    "--vectors=no.txt": "There is no file of word vectors at --vectors=no.txt.",
    "--vectors=a.jsonl": "a.jsonl is not a word2vec text or binary file: its first line does not say how many words "
    "and dimensions it has. gensim writes one by save_word2vec_format.",
    "--vectors=a.jsonl --embedding_dim=5": "--vectors says how long a vector is: leave out --embedding_dim.",
    "--user_dictionary=no.dic": "There is no user dictionary at no.dic; give a file that mecab-dict-index has made.",
    "--dictionary=no": "no holds no MeCab dictionary (no sys.dic); give unidic-lite, unidic, ipadic or a compiled "
    "dictionary's folder.",
    "--bundle=.": ". exists and is not empty; give a new directory for the bundle.",
    "--stop_words=no.txt": "--stop_words=no.txt cannot be read: No such file or directory.",
}
REFUSED_BY_BUNDLE = {
    **{flag: REFUSED[flag] for flag in ("--bundle=.", "--user_dictionary=no.dic", "--dictionary=no")},
    "--stop_words=no.txt": REFUSED["--stop_words=no.txt"],
    "--sample_texts=no.txt": "--sample_texts=no.txt cannot be read: No such file or directory.",
    "--sample_texts=latin.txt": "--sample_texts=latin.txt cannot be read as UTF-8 text.",
    "--expected=no.csv": "--expected=no.csv cannot be read: No such file or directory.",
    "--word_index=no.json": "There is no word index at no.json; give what tokenizer.to_json() returns, or {word: id}.",
}


@pytest.fixture(autouse=True)
def no_tensorflow(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Fails where TensorFlow is about to be loaded; the files at hand are the test's own."""

    def never() -> None:
        raise AssertionError("the work begins")

    for command in ("train", "bundle", "explain"):
        monkeypatch.setattr(f"saiten.pipelines.commands.{command}.import_tensorflow", never)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("flag", REFUSED)
def test_train_names_the_flag_that_will_not_do(flag: str, capsys: Output) -> None:
    write_records(pathlib.Path("a.jsonl"), [{"text": "とても良い", "mood": name} for name in "ab"])
    assert main(["train", "--input=a.jsonl", "--class_field=mood", "--bundle=bundle", *flag.split()]) == 2
    assert capsys.readouterr().err == f"saiten: {REFUSED[flag]}\n"


@pytest.mark.parametrize("flag", REFUSED_BY_BUNDLE)
def test_bundle_refuses_what_it_can_before_the_model_is_read(flag: str, capsys: Output) -> None:
    pathlib.Path("model.keras").write_bytes(b"")
    pathlib.Path("words.json").write_text(json.dumps({"良い": 1}), encoding="utf-8")
    made = ["--keras_model=model.keras", "--word_index=words.json", "--outputs=a", "--bundle=bundle"]
    pathlib.Path("latin.txt").write_bytes(b"\xe9t\xe9")
    assert main(["bundle", *made, flag]) == 2
    assert capsys.readouterr().err == f"saiten: {REFUSED_BY_BUNDLE[flag]}\n"


def test_explain_asks_for_its_page_before_it_scores(tmp_path: pathlib.Path, capsys: Output) -> None:
    assert main(["explain", "--bundle=nowhere", f"--html={tmp_path}", "良い"]) == 2
    assert capsys.readouterr().err == (
        f"saiten: --html={tmp_path} is no file: give a name for the page, such as --html=page.html.\n"
    )
