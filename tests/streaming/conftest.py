"""A stream over the small bundle, which nothing feeds yet."""

import pathlib

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.owner import write_owner
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.steps.scoring_bundle import ScoringBundle
from saiten.pipelines.streaming.stream import Stream
from tests.helpers.streams import WINDOW_SECS


@pytest.fixture
def stream(tiny_bundle: StoredBundle, tmp_path: pathlib.Path) -> Stream:
    output = str(tmp_path / "out")
    write_owner(output, "token")
    run = Run("20261130T000000Z-00000000", output, tiny_bundle.bundle_id, ("taste", "service"), (), True, "token")
    bundle = ScoringBundle(str(tiny_bundle.path), tiny_bundle.bundle_id, "packed")
    return Stream(run, ReadOptions(), bundle, Deadline(60, run.reports, 0), window_secs=WINDOW_SECS)
