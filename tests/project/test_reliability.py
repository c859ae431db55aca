"""One try of each promise that `benchmarks/reliability` tries many times; test_interrupt has the other kills."""

import dataclasses
from random import Random

import pytest

from benchmarks.reliability.bench import Bench
from benchmarks.reliability.outcome import Outcome
from benchmarks.reliability.promises import faulty_models, kills, mutations, poison, properties, reruns
from saiten.model.bundle.bundle import StoredBundle

# The scenes are made once, in one of the processes that the tests run in.
pytestmark = pytest.mark.xdist_group("reliability")


@pytest.fixture(scope="module")
def bench(tiny_bundle: StoredBundle, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tiny_bundle.path, tmp_path_factory.mktemp("reliability"), Random(1))


@pytest.fixture(scope="module")
def scene(bench: Bench) -> kills.Scene:
    """Most breaks are the same in one process; `two_workers` is for those that are not."""
    new = bench.write_lines("new.txt", 300, padding_bytes=120_000)
    return kills.Scene(bench, new, bench.write_lines("earlier.txt", 20), workers=1)


@pytest.fixture(scope="module")
def two_workers(scene: kills.Scene) -> kills.Scene:
    (scene.bench.folder / "two").mkdir()
    return dataclasses.replace(
        scene, bench=dataclasses.replace(scene.bench, folder=scene.bench.folder / "two"), workers=2
    )


def assert_all_held(outcomes: list[Outcome]) -> None:
    assert [broken for outcome in outcomes for broken in outcome.broken] == []
    assert all(outcome.tries for outcome in outcomes)


@pytest.mark.parametrize(
    "kind",
    ["SIGINT twice", "retried Beam bundle", "full disk, manifest", "failing rename", "read-only target"],
)
@pytest.mark.thorough
def test_a_broken_run_leaves_nothing_torn_and_is_completed_by_the_next(scene: kills.Scene, kind: str) -> None:
    scene.try_once(kind, Outcome("kills and faults", kind))


@pytest.mark.parametrize("kind", ["kill -9 of the whole group", "full disk, parts"])
@pytest.mark.thorough
def test_so_does_one_of_many_processes(two_workers: kills.Scene, kind: str) -> None:
    two_workers.try_once(kind, Outcome("kills and faults", kind))


@pytest.mark.thorough
def test_an_fsync_that_fails_is_noticed(scene: kills.Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A launcher syncs its plan and the plan's folder at least, so the fault does happen, and ends the run at once."""
    monkeypatch.setitem(kills._MAX_OPERATIONS, "fsync", 2)
    outcome = Outcome("kills and faults", "failing fsync")
    scene.try_once("failing fsync", outcome)
    assert outcome.notes == {"ended before it began": 1}


def test_ten_thousand_random_records_are_all_accounted_for(bench: Bench) -> None:
    assert_all_held(properties.run(bench, 10_000))


@pytest.mark.thorough
def test_poison_costs_its_own_records_alone(bench: Bench) -> None:
    assert_all_held(poison.run(bench, 5))


@pytest.mark.parametrize(
    "fault", ["hangs", *(pytest.param(fault, marks=pytest.mark.thorough) for fault in ("too few", "cannot load"))]
)
@pytest.mark.thorough
def test_a_faulty_model_loses_nothing_in_a_whole_run(bench: Bench, fault: str) -> None:
    """test_inference has the other faults, block by block."""
    faulty_models.check_fault(bench, fault, 64)


@pytest.mark.thorough
def test_one_run_is_visible_after_each_rerun(bench: Bench) -> None:
    for kind in reruns.KINDS:
        reruns.check_rerun(bench, bench.folder / "output of reruns", kind, Outcome("re-runs", kind), workers=[1])


def test_mutated_parquet_never_loses_records(bench: Bench) -> None:
    (bench.folder / "mutated").mkdir()
    apart = Bench(bench.bundle, bench.folder / "mutated", bench.random)
    assert_all_held(mutations.run(apart, 20))
