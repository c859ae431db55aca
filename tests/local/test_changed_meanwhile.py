"""A bundle or a dictionary that changes between the launcher's check and a worker's first record stops the run."""

import pathlib
from collections.abc import Callable, Sequence

import pytest

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.model.text.dictionary import Dictionary, fingerprint_files
from saiten.pipelines.commands.main import main
from saiten.pipelines.local import launch
from saiten.pipelines.reading.plan import WorkPlan
from tests.helpers.forgery import bundle_fields, copy_dictionary, reseal


@pytest.fixture
def own_dictionary(tmp_path: pathlib.Path, bundle_copy: pathlib.Path, tiny_bundle: StoredBundle) -> pathlib.Path:
    """A dictionary in a folder of its own, which the copy of the bundle names."""
    folder = copy_dictionary(tmp_path / "dictionary")
    files = fingerprint_files(Dictionary(str(folder), folder, ""), None)
    changes = {"dictionary": str(folder), "dictionary_version": "", "files": files}
    reseal(bundle_copy, tokenizer={**bundle_fields(tiny_bundle.path)["tokenizer"], **changes})
    return folder


def score_meanwhile(change: Callable[[], object], arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Runs `saiten score` with a change after the launcher has checked the bundle; returns the exit code."""
    plan_scoring = launch.plan_scoring

    def change_then_plan(*given: object) -> WorkPlan:
        change()
        return plan_scoring(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(launch, "plan_scoring", change_then_plan)
    return main(["score", "--quiet", *arguments])


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.thorough)])
def test_a_dictionary_that_changed_is_refused_on_the_worker(
    workers: int,
    own_dictionary: pathlib.Path,
    bundle_copy: pathlib.Path,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not by its golden texts: a comment in dicrc changes no token."""
    flags = [f"--input={reviews}", f"--bundle={bundle_copy}", f"--workers={workers}"]
    assert main(["score", "--quiet", *flags, "--workers=1", f"--output={tmp_path / 'before'}"]) == 0

    def change() -> None:
        with (own_dictionary / "dicrc").open("a") as file:
            file.write("; changed\n")

    assert score_meanwhile(change, [*flags, f"--output={tmp_path / 'after'}"], monkeypatch) == 2
    assert f"dicrc of {own_dictionary} is not the one the bundle was made with" in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.thorough)])
def test_a_bundle_that_changed_is_refused_on_the_worker(
    workers: int,
    bundle_copy: pathlib.Path,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another bundle, whole and true, in the place of the one that the run began with."""
    out, began_with = tmp_path / "out", read_bundle(bundle_copy).bundle_id
    flags = [f"--input={reviews}", f"--bundle={bundle_copy}", f"--output={out}", f"--workers={workers}"]
    assert score_meanwhile(lambda: reseal(bundle_copy, training={"seed": 1}), flags, monkeypatch) == 2
    said = capsys.readouterr().err
    assert f"is {read_bundle(bundle_copy).bundle_id} on this worker, but the run began with {began_with}" in said
    assert not (out / "manifest.json").exists()
    assert not list(out.glob("scores/*.parquet"))
