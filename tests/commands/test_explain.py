"""`saiten explain`: every token is accounted for, and what it did to the scores is told in each form alike."""

import io
import json
import pathlib
import re

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.explain import ExplainedToken, Explanation, explain_text
from saiten.model.text.encoder import Encoder
from saiten.pipelines.commands.main import main
from saiten.pipelines.commands.pages.explanation_page import print_explanations
from saiten.pipelines.reports.effects import ExplainedText
from tests.helpers.fakes import FakeEngine
from tests.helpers.reports import HeardPage

Output = pytest.CaptureFixture[str]


def test_every_token_is_accounted_for(encoder: Encoder) -> None:
    explanation = explain_text(encoder, FakeEngine(), "とても高い\u3000ＡＢＣ")
    ids = encoder.vocabulary.ids
    assert explanation.normal_form == "とても高い ABC"
    assert explanation.tokens == (
        ExplainedToken("とても", ids["とても"], "read", (ids["とても"], 1)),
        ExplainedToken("高い", ids["高い"], "read", (ids["高い"], 1)),
        ExplainedToken("ABC", 1, "oov", (1, 1)),
    )
    assert (explanation.n_tokens, explanation.n_oov, explanation.length) == (3, 1, 3)
    assert explanation.scores == (float(ids["とても"] + ids["高い"] + 1), 3.0)


@pytest.mark.parametrize(("truncating", "fates"), [("pre", ["cut", "read", "read"]), ("post", ["read", "read", "cut"])])
def test_what_is_cut_is_shown(truncating: str, fates: list[str], encoder: Encoder) -> None:
    short = Encoder(encoder.tokenizer, encoder.vocabulary, 2, truncating)
    explanation = explain_text(short, FakeEngine(), "とても高い。")
    assert [token.fate for token in explanation.tokens] == fates
    assert [bool(token.effects) for token in explanation.tokens] == [fate == "read" for fate in fates]
    assert explanation.length == 2


def test_dropped_words_are_shown_and_an_empty_text_has_no_scores(encoder: Encoder) -> None:
    from saiten.model.text.vocabulary import Vocabulary

    dropping = Encoder(encoder.tokenizer, Vocabulary(["<pad>", None, "とても"], None), 9, "pre")
    explanation = explain_text(dropping, FakeEngine(), "高い")
    assert explanation.tokens == (ExplainedToken("高い", None, "dropped"),)
    assert explanation.scores is None
    assert explain_text(dropping, FakeEngine(), " \n").tokens == ()


def test_explain_shows_tokens_and_scores(tiny_bundle: StoredBundle, capsys: Output) -> None:
    assert main(["explain", f"--bundle={tiny_bundle.path}", "とても高い未知[red]"]) == 0
    shown = capsys.readouterr().out
    ids = tiny_bundle.encoder().vocabulary.ids
    assert f"とても {ids['とても']} | 高い {ids['高い']} | 未知 1 (OOV) | [ 1 (OOV)" in shown
    assert "6 tokens, 4 OOV (not known to the model), 6 read by the model" in shown
    assert re.findall(r"^(\w+) +-?\d\.\d{6} ", shown, re.MULTILINE) == ["taste", "service"]


def test_explain_reads_standard_input(
    tiny_bundle: StoredBundle, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(" \n"))
    assert main(["explain", f"--bundle={tiny_bundle.path}", "-"]) == 0
    assert "no token is left (status empty)" in capsys.readouterr().out


def test_explain_refuses_a_lone_surrogate_without_showing_it(tiny_bundle: StoredBundle, capsys: Output) -> None:
    assert main(["explain", f"--bundle={tiny_bundle.path}", "秘密\udc80"]) == 2
    message = capsys.readouterr().err
    assert "would be a dead letter: BAD_UNICODE" in message
    assert "秘密" not in message


def test_effects_are_told_in_the_terminal_as_json_and_as_a_page(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    page = tmp_path / "page.html"
    text = "とても高いラーメン"
    assert main(["explain", f"--bundle={tiny_bundle.path}", "--json", f"--html={page}", text]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [token["token"] for token in found["tokens"]] == ["とても", "高い", "ラーメン"]
    for left_out in range(3):
        rest = [token["token"] for i, token in enumerate(found["tokens"]) if i != left_out]
        assert main(["explain", f"--bundle={tiny_bundle.path}", "--json", "".join(rest)]) == 0
        without = json.loads(capsys.readouterr().out)["scores"]
        effects = {name: found["scores"][name] - without[name] for name in without}
        assert found["tokens"][left_out]["effects"] == pytest.approx(effects, abs=1e-6)
    assert main(["explain", f"--bundle={tiny_bundle.path}", "--output=service", text]) == 0
    shown = capsys.readouterr().out
    effect = max(found["tokens"], key=lambda token: abs(token["effects"]["service"]))
    for form in (shown, re.sub("<[^>]*>", "", page.read_text(encoding="utf-8"))):
        assert f"{effect['token']} {effect['effects']['service']:+.3g}" in form
    assert "service  とても 高い ラーメン" in shown
    assert "left out in turn (the text is scored without it, one shorter)" in " ".join(shown.split())


def test_a_text_of_one_token_has_no_effects(tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output) -> None:
    page = tmp_path / "page.html"
    assert main(["explain", f"--bundle={tiny_bundle.path}", f"--html={page}", "高い"]) == 0
    for form in (capsys.readouterr().out, page.read_text(encoding="utf-8")):
        assert "Nothing is left of this text without its only token: no effect can be told." in form


def test_the_first_records_of_a_file_are_explained(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    source = tmp_path / "a.jsonl"
    records = [{"id": "one", "body": "高い"}, {"id": "two", "body": None}, {"id": "three", "body": ""}, {"body": "先"}]
    source.write_text("".join(json.dumps(record) + "\n" for record in records))
    command = ["explain", f"--bundle={tiny_bundle.path}", f"--input={source}", "--text_field=body", "--id_field=id"]
    assert main([*command, "--records=4", "--json"]) == 0
    said = capsys.readouterr()
    assert [json.loads(line)["id"] for line in said.out.splitlines()] == ["one", "three", "a.jsonl:94"]
    assert re.fullmatch(r"saiten: a\.jsonl:\d+ would be a dead letter: TEXT_MISSING, .*[^.]\.\n", said.err)
    assert main([*command, "--records=4", f"--html={tmp_path / 'page.html'}"]) == 0
    HeardPage((tmp_path / "page.html").read_text(encoding="utf-8")).check()
    assert re.findall(r"^id +(\S+)", capsys.readouterr().out, re.MULTILINE) == ["one", "three", "a.jsonl:94"]
    assert re.findall("<h2>(.*?)</h2>", (tmp_path / "page.html").read_text(encoding="utf-8")) == [
        "one",
        "three",
        "a.jsonl:94",
    ]


def test_hostile_texts_do_not_act_in_the_page(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    page = tmp_path / "page.html"
    assert main(["explain", f"--bundle={tiny_bundle.path}", f"--html={page}", "高い<script>\u202e\x1b[31m"]) == 0
    for form in (page.read_text(encoding="utf-8"), capsys.readouterr().out):
        assert not re.search("\u202e|\x1b", form)
    assert "<script" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "saiten explain needs a text, or --input=FILE with some: give one of them."),
        (["高い", "--input=a.jsonl"], "saiten explain needs a text, or --input=FILE with some: give one of them."),
        (["高い", "--output=price"], "--output=price is none of the bundle's outputs: taste, service."),
        (["--input=a.jsonl", "--records=0"], "--records is 1 or more, not 0."),
    ],
)
def test_what_cannot_be_explained_is_refused(
    arguments: list[str], problem: str, tiny_bundle: StoredBundle, capsys: Output
) -> None:
    assert main(["explain", f"--bundle={tiny_bundle.path}", *arguments]) == 2
    assert capsys.readouterr().err == f"saiten: {problem}\n"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_an_input_without_records_is_said_to_have_none(
    form: list[str], tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    """An empty line is no JSON, and nothing at all leaves a person wondering."""
    (tmp_path / "none.jsonl").touch()
    assert main(["explain", f"--bundle={tiny_bundle.path}", f"--input={tmp_path / 'none.jsonl'}", *form]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"saiten: --input={tmp_path / 'none.jsonl'} holds no record that can be explained.\n"


def test_a_long_text_does_not_fill_the_screen(tiny_bundle: StoredBundle, capsys: Output) -> None:
    assert main(["explain", f"--bundle={tiny_bundle.path}", "高い" * 3_000]) == 0
    shown = capsys.readouterr().out
    assert "高い … and 5,000 characters more tokens" in " ".join(shown.split())
    assert " … and 2,800 more" in shown
    assert len(shown) < 10_000


def test_of_many_classes_the_rest_is_counted(capsys: Output) -> None:
    outputs = [f"c{i}" for i in range(30)]
    found = Explanation("店", (ExplainedToken("店", 2, "read"),), 1, 0, 1, tuple(i / 435 for i in range(30)), 1)
    print_explanations([ExplainedText(None, found, is_class=True)], outputs, None)
    shown = capsys.readouterr().out
    assert re.findall(r"^(c\d+) ", shown, re.MULTILINE) == [f"c{i}" for i in range(29, 19, -1)]
    assert "These are the classes with the highest scores; --json has the other 20." in shown
