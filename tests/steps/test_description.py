"""The pipeline's own description, whose size engines limit: 10 MB on Dataflow."""

import pathlib
import uuid

import apache_beam as beam
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.local import prepare
from saiten.pipelines.run.run_plan import read_plan
from saiten.pipelines.steps.pipeline import build
from tests.helpers.scoring import score, stop_when_planned


def test_it_does_not_grow_with_the_number_of_files(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20,000 files took 1.28 MB when it held their ranges.

    Beam compresses what it pickles, so that the ids that are left to chance decide some hundred bytes: here they are
    the same.
    """
    monkeypatch.setattr(prepare, "new_run_id", lambda: "20261130T000000Z-00000000")
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=2**127))
    planned = stop_when_planned(monkeypatch)
    sizes = []
    for n_files in (1, 1_000):
        folder = tmp_path / f"{n_files:05d}"
        folder.mkdir()
        for i in range(n_files):
            (folder / f"{i:04d}.txt").write_text("良い。\n" if i == 0 else "", encoding="utf-8")
        assert score(tiny_bundle, folder, tmp_path / f"out-{n_files:05d}") == 1
        run = planned[-1].commit.run
        assert len(read_plan(run.output, run.run_id).inputs) == n_files
        pipeline = beam.Pipeline()
        build(pipeline, planned[-1])
        sizes.append(len(pipeline.to_runner_api().SerializeToString()))
    assert abs(sizes[1] - sizes[0]) < 100
    assert sizes[0] < 100_000
