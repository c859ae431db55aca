"""Jobs, launchers and attempts that meet in one instant: one of them counts, and each is told what happened.

On a disk and on a store, whose uploads go through only while an object is as it was.
"""

import os
import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from saiten.model.errors import SaitenError
from saiten.pipelines import storage
from saiten.pipelines.local import signals
from saiten.pipelines.local.signals import Job
from saiten.pipelines.run import owner
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes import contended
from saiten.pipelines.run.notes.failures import FencedOffError
from saiten.pipelines.run.notes.progress_notes import DeadLetterLimit
from saiten.pipelines.run.owner import deciding, give_up, owner_of, withdraw, write_owner
from saiten.pipelines.run.range_summary import RangeSummary
from saiten.pipelines.run.run_manifest import RunManifest, read_run_manifest
from saiten.pipelines.steps import commit
from saiten.pipelines.steps.commit import CommitSettings, commit_run
from saiten.pipelines.steps.write import _WritePartsDoFn
from tests.helpers.fakes import make_scored_block, record_a_plan
from tests.helpers.object_store import emulated

# The emulator closes its sockets late, and says so when they are collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with emulated() as url:
        yield url


@pytest.fixture(params=["disk", "store"])
def place(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    if request.param == "disk":
        return str(tmp_path)
    return f"{request.getfixturevalue('store')}/{request.node.name.partition('[')[0]}"


@pytest.fixture
def run(place: str) -> Run:
    return make_run(f"{place}/out", "20260101T000000Z-aaaaaaaa", "a" * 32)


def make_run(output: str, run_id: str, token: str) -> Run:
    """A run whose launcher has claimed the directory."""
    write_owner(output, token)
    return Run(run_id, output, "b" * 64, ("sum", "length"), (), keep_raw=True, token=token)


def written(run: Run) -> tuple[CommitSettings, list[RangeSummary]]:
    """A run that has written all, and what its commit gets."""
    record_a_plan(run)
    writer = _WritePartsDoFn(run, DeadLetterLimit(1.0, 100, 1), run.work_folder)
    writer.setup()
    writer.start_bundle()
    given = list(writer.process(make_scored_block([run.run_id])))
    writer.finish_bundle()
    return CommitSettings(run, 1.0, {}), [one for one in given if isinstance(one, RangeSummary)]


def before_the_manifest(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Lets something happen once when a job has looked whether it may commit, and has not committed yet."""
    really, waiting = contended.replace, [happens]

    def replace_later(path: str, content: bytes, version: str) -> bool:
        if waiting and path.endswith("/manifest.json"):
            waiting.pop()()
        return really(path, content, version)

    monkeypatch.setattr(contended, "replace", replace_later)


def assert_whole(output: str, manifest: RunManifest) -> None:
    """What counts is there, whole, and nothing else is."""
    assert read_run_manifest(output) == manifest
    beside = [f"{output}/{name}" for name in ("_SUCCESS", "manifest.json", "report.html")]
    assert storage.list_files(output) == sorted([*beside, *(f"{output}/{part.path}" for part in manifest.outputs)])


def test_of_many_who_create_a_file_at_one_instant_one_does(place: str) -> None:
    assert_one_creates(place)


def test_of_many_who_hold_the_lock_in_turn_one_creates_a_file_where_there_are_no_links(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(_source: str, target: str) -> None:
        raise PermissionError(1, "Operation not permitted", target)

    monkeypatch.setattr(os, "link", no_links)
    assert_one_creates(str(tmp_path), lambda: deciding(str(tmp_path)))


def assert_one_creates(place: str, locked: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
    n_writers, barrier = 8, threading.Barrier(8)
    for i in range(5):
        path = f"{place}/{i}.json"

        def create(writer: int, path: str = path) -> bool:
            barrier.wait()
            with locked():
                return contended.create(path, str(writer).encode())

        with ThreadPoolExecutor(n_writers) as pool:
            created = list(pool.map(create, range(n_writers)))
        assert created.count(True) == 1
        assert storage.read_bytes(path) == str(created.index(True)).encode()
    assert len(storage.list_files(place)) == 5, "nothing partial is left"


def test_one_that_was_created_already_stays_as_it_is(place: str) -> None:
    path = f"{place}/a.json"
    assert contended.create(path, b"1")
    assert not contended.create(path, b"2")
    version = contended.version_of(path)
    assert contended.replace(path, b"3", version)
    assert not contended.replace(path, b"4", version)
    assert not contended.replace(path, b"5", contended.NO_VERSION)
    assert storage.read_bytes(path) == b"3"


def test_a_job_that_is_held_at_its_very_commit_never_takes_the_place_of_a_later_run(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk nobody claims the directory meanwhile; on a store the later run's manifest is not replaced."""
    settings, summaries = written(run)
    later: list[RunManifest] = []

    def commit_later() -> None:
        newer = make_run(run.output, "20260102T000000Z-bbbbbbbb", "b" * 32)
        later.append(commit_run(*written(newer), []))

    if storage.is_remote(run.output):
        before_the_manifest(monkeypatch, commit_later)
        with pytest.raises(FencedOffError):
            commit_run(settings, summaries, [])
    else:
        thread = threading.Thread(target=commit_later)

        def try_to_claim() -> None:
            thread.start()
            time.sleep(0.3)
            assert owner_of(run.output) == run.token

        before_the_manifest(monkeypatch, try_to_claim)
        commit_run(settings, summaries, [])
        thread.join()
    assert_whole(run.output, later[0])


def test_two_attempts_at_a_commit_in_one_instant_make_one_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has parts of its own; of the one that comes second nothing is left."""
    settings, first = written(run)
    _, second = written(run)
    barrier, really = threading.Barrier(2, timeout=60), commit.merge_statistics

    def together(*arguments: Any) -> Any:
        barrier.wait()  # both have looked, and neither has committed
        return really(*arguments)

    monkeypatch.setattr(commit, "merge_statistics", together)
    with ThreadPoolExecutor(2) as pool:
        manifests = list(pool.map(lambda summaries: commit_run(settings, summaries, []), (first, second)))
    assert manifests[0] == manifests[1]
    assert_whole(run.output, manifests[0])


def test_a_launcher_that_is_interrupted_while_its_job_commits_says_what_happens(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, summaries = written(run)
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(Job(run, None, is_on_its_way=True).end()))

    def interrupt() -> None:
        thread.start()
        time.sleep(0.5)
        assert said == []

    before_the_manifest(monkeypatch, interrupt)
    manifest = commit_run(settings, summaries, [])
    thread.join()
    assert said == ["the run is committed, --resume marks it"]
    assert read_run_manifest(run.output) == manifest


def test_a_job_that_looked_before_it_was_given_up_commits_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, summaries = written(run)
    really = owner.refuse_fenced_off

    def look_and_be_held(given: Run) -> None:
        really(given)
        if storage.is_remote(run.output):
            assert withdraw(run)

    if not storage.is_remote(run.output):
        assert withdraw(run)
    monkeypatch.setattr(owner, "refuse_fenced_off", look_and_be_held)
    with pytest.raises(FencedOffError):
        commit_run(settings, summaries, [])
    assert read_run_manifest(run.output) is None
    again = replace(run, token="c" * 32)
    write_owner(run.output, again.token)
    assert_whole(run.output, commit_run(replace(settings, run=again), summaries, []))


def test_a_launcher_that_cannot_tell_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_path: str) -> bytes:
        raise OSError(5, "Input/output error")

    told = f"saiten inspect {run.output} tells"
    with monkeypatch.context() as patched:
        patched.setattr(storage, "read_bytes", unreachable)
        assert Job(run, None).end() == (
            f"whether the run is committed cannot be told ([Errno 5] Input/output error); {told}"
        )
    monkeypatch.setattr(signals, "_COMMIT_SECS", 0.0)
    monkeypatch.setattr(signals, "withdraw", lambda _run: False)
    with pytest.raises(SaitenError, match="its commit has begun and does not end"):
        Job(run, None).is_committed()


def test_a_lock_that_its_holder_does_not_let_go_is_not_waited_for_for_ever(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = str(tmp_path)
    write_owner(output, "a")
    with deciding(output):
        monkeypatch.setattr(owner, "_LOCK_SECS", 0.1)
        with pytest.raises(TimeoutError, match="another process has had it locked for 0 s"):
            give_up(output, "a")
    give_up(output, "a")
    assert storage.list_files(output) == []
