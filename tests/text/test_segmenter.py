"""The compiled segmenter: MeCab's tokens for every text, or none, and then MeCab is asked."""

import os
import pathlib
import re
from collections.abc import Sequence

import MeCab
import pytest
import unidic_lite

from saiten.model.errors import LeftToMeCabError
from saiten.model.text.random_texts import random_texts
from saiten.model.text.segmenter import segmenter as segmenter_module
from saiten.model.text.segmenter.search import MAX_BYTES
from saiten.model.text.segmenter.segmenter import Segmenter
from tests.helpers.user_dictionary import write_user_dictionary

DICTIONARY = pathlib.Path(unidic_lite.DICDIR)
PROSE = (
    "とても美味しいラーメンでした。料理は普通でしたが、店員さんが親切でした。",
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "2026年11月のiPhone 17 Proは、¥159,800（税込）から。New York Timesによると…",
    "すもももももももものうち",
)
# A piece of each kind of character that char.bin knows, and of those it does not.
KINDS = "あアｱ漢一〇1１aＡéαжｱ、。 \u3000\u00a0ー々♪→😀𠮷\ue000\ufffd\uffff\u0301\u200d"


def mecab(user_dictionary: pathlib.Path | None = None) -> MeCab.Tagger:
    words = ["-r", os.devnull, "-d", str(DICTIONARY), "-Owakati"]
    return MeCab.Tagger(" ".join([*words, *(["-u", str(user_dictionary)] if user_dictionary else [])]))


@pytest.fixture(scope="module")
def compiled() -> Segmenter:
    return Segmenter(DICTIONARY, None)


def differing(texts: Sequence[str], segmenter: Segmenter, tagger: MeCab.Tagger) -> list[str]:
    """The texts that the two segment differently; a control character is a space before either sees it."""
    texts = [re.sub("[\x00-\x1f\x7f-\x9f]", " ", text) for text in texts]
    found = segmenter.segment([text.encode() for text in texts]).surfaces()
    return [
        text
        for text, own in zip(texts, found, strict=True)
        if own is not None and " ".join(own) != tagger.parse(text).strip(" \n")
    ]


@pytest.mark.parametrize("n", [6_000, pytest.param(100_000, marks=pytest.mark.thorough)])
def test_random_texts_give_mecabs_tokens(compiled: Segmenter, n: int) -> None:
    texts = list(random_texts(n, 15, PROSE))
    assert len(set(texts)) > n * 0.8
    assert differing(texts, compiled, mecab()) == []


def test_every_run_of_a_kind_up_to_beyond_what_mecab_groups_gives_its_tokens(compiled: Segmenter) -> None:
    runs = [f"{before}{kind * n}{after}" for kind in KINDS for n in (1, 2, 23, 24, 25, 26, 60) for before, after in
            (("", ""), ("は", "は"), (" ", " "), ("1", "a"))]  # fmt: skip
    pairs = [f"{one * 2}{two * 3}{one}" for one in KINDS for two in KINDS]
    assert differing([*runs, *pairs], compiled, mecab()) == []


def test_the_ids_are_renumbered_after_a_while_and_the_tokens_stay() -> None:
    segmenter, texts = Segmenter(DICTIONARY, None), list(random_texts(300, 3, PROSE))
    before = list(segmenter.segment([text.encode() for text in texts]).surfaces())
    assert len(segmenter.tables.hot) == 0
    segmenter.segment(["".join(PROSE).encode() * 50] * 7)
    assert len(segmenter.tables.hot) > 0
    assert list(segmenter.segment([text.encode() for text in texts]).surfaces()) == before
    assert differing(texts, segmenter, mecab()) == []


def test_a_text_of_the_longest_length_is_segmented_and_a_longer_one_is_mecabs(compiled: Segmenter) -> None:
    longest = ("".join(PROSE) * 100).encode()[: MAX_BYTES - 8].decode("utf-8", "ignore")
    longest += "a" * (MAX_BYTES - len(longest.encode()))
    found = list(compiled.segment([longest.encode(), b"a" + longest.encode(), "良い".encode()]).surfaces())
    assert [own is None for own in found] == [False, True, False]
    assert differing([longest], compiled, mecab()) == []


def test_nothing_and_spaces_have_no_tokens(compiled: Segmenter) -> None:
    assert list(compiled.segment([b"", b" ", b"   "]).surfaces()) == [[], [], []]
    assert list(compiled.segment([]).surfaces()) == []


@pytest.mark.parametrize("limit", ["_MAX_NODES", "_MAX_LEFT", "_MAX_FOUND"])
def test_beyond_what_is_prepared_for_a_text_is_mecabs_and_never_another(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written behind the end of an array would be read as another path, or end the process."""
    monkeypatch.setattr(segmenter_module, limit, {"_MAX_NODES": 300, "_MAX_LEFT": 14, "_MAX_FOUND": 3}[limit])
    segmenter, texts = Segmenter(DICTIONARY, None), list(random_texts(400, 8, PROSE))
    assert differing(texts, segmenter, mecab()) == []
    n_left = sum(own is None for own in segmenter.segment([text.encode() for text in texts]).surfaces())
    assert 20 < n_left < 380


def test_a_user_dictionary_is_read_as_mecab_reads_it(tmp_path: pathlib.Path) -> None:
    """Words that the system dictionary has and has not, homographs, ties, one with a space, and one of half a word."""
    entries = [
        ("美味しいラーメン", 10, 10, -3000), ("ラーメン", 10, 10, 500),
        ("ラーメン", 10, 10, 400), ("ラーメン", 20, 30, 400),
        ("採点", 5, 5, 0), ("New York", 7, 7, -9000), ("は", 1, 1, 30_000), ("😀", 3, 3, -32_000), ("もも", 9, 9, -500),
    ]  # fmt: skip
    path = write_user_dictionary(tmp_path / "user.dic", DICTIONARY, entries)
    segmenter = Segmenter(DICTIONARY, str(path))
    assert ["採点", "😀"] in list(segmenter.segment(["採点😀".encode()]).surfaces())
    seeds = [*PROSE, "採点😀採点とNew Yorkのラーメン", "New York New"]
    assert differing([*seeds, *random_texts(2_000, 4, seeds)], segmenter, mecab(path)) == []


@pytest.mark.parametrize(
    ("file", "change", "because"),
    [
        ("dicrc", lambda content: content + b"\nuserdic = /elsewhere.dic\n", "its dicrc sets userdic"),
        ("char.bin", lambda content: content[:-4], "char.bin is not as its header says"),
        ("unk.dic", lambda content: content[:40] + b"EUC-JP".ljust(32, b"\0") + content[72:], "unk.dic is in euc-jp"),
        ("unk.dic", lambda content: content[:-1], "unk.dic is not of version 102"),
        ("unk.dic", lambda content: content[:9], "unk.dic is cut off"),
        ("unk.dic", lambda _: b"", "unk.dic cannot be mapped"),
        ("dicrc", None, "dicrc cannot be read"),
        ("matrix.bin", lambda content: content[:-2], "matrix.bin does not belong to the dictionary"),
    ],
)  # fmt: skip
def test_what_is_not_covered_is_left_to_mecab_and_said(
    file: str, change: object, because: str, tmp_path: pathlib.Path
) -> None:
    for path in DICTIONARY.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / file).unlink()
    if callable(change):
        (tmp_path / file).write_bytes(change((DICTIONARY / file).read_bytes()))
    with pytest.raises(LeftToMeCabError, match=re.escape(because)):
        Segmenter(tmp_path, None)


def test_mecab_takes_no_other_limit_of_a_group_from_a_dicrc(tmp_path: pathlib.Path) -> None:
    for path in DICTIONARY.iterdir():
        if path.name != "dicrc":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "dicrc").write_bytes((DICTIONARY / "dicrc").read_bytes() + b"\nmax-grouping-size = 3\n")
    tagger = MeCab.Tagger(f"-r {os.devnull} -d {tmp_path} -Owakati")
    assert differing(["ヌ" * n for n in range(1, 30)], Segmenter(tmp_path, None), tagger) == []


def test_several_user_dictionaries_are_left_to_mecab() -> None:
    with pytest.raises(LeftToMeCabError, match="several user dictionaries"):
        Segmenter(DICTIONARY, "one.dic,other.dic")
