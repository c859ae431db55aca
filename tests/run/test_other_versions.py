"""What another version left, or someone changed, is refused in one sentence or done again."""

import json
import pathlib

import pytest

from saiten.model.bundle.bundle import StoredBundle
from tests.helpers.scoring import rows, score


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (b"{", "no plan that this version reads"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"run_id": "a"}', "missing required field `started`"),
        (b'{"run_id": 1}', "Expected `str`, got `int` - at `$.run_id`"),
    ],
)
def test_a_plan_of_another_version_is_refused_in_one_sentence_and_overwritten(
    tiny_bundle: StoredBundle,
    half_broken: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    plan: bytes,
    problem: str,
) -> None:
    out = tmp_path / "out"
    folder = out / "_work" / "20260101T000000Z-aaaaaaaa"
    folder.mkdir(parents=True)
    (folder / "plan.json").write_bytes(plan)
    assert score(tiny_bundle, half_broken, out, "--resume", "--max_dead_letter_rate=1") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"saiten: {folder}/plan.json is no plan that this version reads (")
    assert problem in said
    assert said.endswith("; --overwrite starts anew.\n")
    assert score(tiny_bundle, half_broken, out, "--overwrite", "--max_dead_letter_rate=1") == 3


def test_a_range_whose_note_is_of_another_version_is_done_again(
    tiny_bundle: StoredBundle, half_broken: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, half_broken, out) == 4
    (note,) = out.glob("_work/*/range-00000.json")
    note.write_text('{"range_index": 0, "folder": "scores"}')
    assert score(tiny_bundle, half_broken, out, "--resume", "--max_dead_letter_rate=1") == 3
    assert len(rows(out)) == 1


def test_a_damaged_manifest_is_neither_read_nor_replaced(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["inputs"][0]["records"] = "all"
    (out / "manifest.json").write_text(json.dumps(manifest))
    capsys.readouterr()
    for flags in ([], ["--overwrite"], ["--resume"]):
        assert score(tiny_bundle, reviews, out, *flags) == 2
        assert capsys.readouterr().err == (
            f"saiten: {out} holds a manifest.json of a run, but damaged: "
            "Expected `int`, got `str` - at `$.inputs[0].records`; give another directory.\n"
        )
