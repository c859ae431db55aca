"""A run by either segmenter: the same rows, and the manifest, `inspect` and the report say which it was."""

import json
import pathlib

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.commands.main import main
from saiten.pipelines.segmentation import Segmentation
from tests.helpers.scoring import TEXTS, rows, score


@pytest.mark.parametrize(("flag", "name"), [("auto", "compiled"), ("compiled", "compiled"), ("mecab", "mecab")])
def test_the_rows_are_the_same_and_the_manifest_says_who_found_the_words(
    flag: str, name: str, tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    for output, segmenter in (("own", flag), ("by_mecab", "mecab")):
        flags = (f"--segmenter={segmenter}", "--workers=1")
        assert score(tiny_bundle, tmp_path / "in.txt", tmp_path / output, *flags) == 0
    own, by_mecab = (rows(tmp_path / output) for output in ("own", "by_mecab"))
    assert own == by_mecab
    manifest = json.loads((tmp_path / "own" / "manifest.json").read_text(encoding="utf-8"))
    n_witnessed = 1 if name == "compiled" else 0
    segmentation = {"texts": {name: len(TEXTS)}, "n_witnessed": n_witnessed, "n_left_to_mecab": 0}
    assert manifest["statistics"]["segmentation"] == segmentation
    capsys.readouterr()
    assert main(["inspect", str(tmp_path / "own")]) == 0
    sentence = Segmentation(**segmentation).sentence
    assert sentence in " ".join(capsys.readouterr().out.split())
    assert f"<p>{sentence}</p>" in (tmp_path / "own" / "report.html").read_text(encoding="utf-8")


def test_a_person_is_told_who_found_the_words() -> None:
    assert Segmentation().sentence == ""
    assert Segmentation({"mecab": 1_200}).sentence == "MeCab found the words of all 1,200 texts."
    assert Segmentation({"compiled": 1_502}, 4, 3).sentence == (
        "The compiled segmenter found the words of all 1,502 texts, with MeCab's help in 3 of them. "
        "As a witness, MeCab cut 4 of these texts again into the same words."
    )
    assert Segmentation({"compiled": 10, "mecab": 1}).sentence == (
        "The compiled segmenter found the words of 10 texts, and MeCab those of 1 other."
    )
    assert Segmentation({"compiled": 1}, 1, 1).sentence == (
        "The compiled segmenter found the words of the only text, with MeCab's help. "
        "As a witness, MeCab cut it again into the same words."
    )
