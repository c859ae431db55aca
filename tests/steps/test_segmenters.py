"""A run by either segmenter: the same rows, and the manifest says which it was."""

import json
import pathlib

import pytest

from saiten.model.bundle.bundle import StoredBundle
from tests.helpers.scoring import TEXTS, rows, score


@pytest.mark.parametrize(("flag", "name"), [("auto", "compiled"), ("compiled", "compiled"), ("mecab", "mecab")])
def test_the_rows_are_the_same_and_the_manifest_says_who_found_the_words(
    flag: str, name: str, tiny_bundle: StoredBundle, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "in.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    for output, segmenter in (("own", flag), ("by_mecab", "mecab")):
        flags = (f"--segmenter={segmenter}", "--workers=1")
        assert score(tiny_bundle, tmp_path / "in.txt", tmp_path / output, *flags) == 0
    own, by_mecab = (rows(tmp_path / output) for output in ("own", "by_mecab"))
    assert own == by_mecab
    manifest = json.loads((tmp_path / "own" / "manifest.json").read_text(encoding="utf-8"))
    n_witnessed = 1 if name == "compiled" else 0
    assert manifest["statistics"]["segmentation"] == {"texts": {name: len(TEXTS)}, "n_witnessed": n_witnessed}
