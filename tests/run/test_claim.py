"""Claims to an output directory on a store, which has no locks: one launcher has it, and one that lost it ends."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.run import claim
from saiten.pipelines.run.claim import Claim
from saiten.pipelines.run.notes import contended
from saiten.pipelines.run.owner import write_owner
from tests.helpers.object_store import emulated

# The emulator closes its sockets late, and says so when they are collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with emulated() as url:
        yield url


@pytest.fixture
def folder(store: str, request: pytest.FixtureRequest) -> str:
    return f"{store}/{request.node.name.partition('[')[0]}"


def test_the_age_of_a_claim_is_told_by_the_stores_clock(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = f"{folder}/out"
    Claim(out).take()
    monkeypatch.setattr(storage, "changed_secs", lambda path: 1000.0 if path.endswith("owner.json") else 1119.0)
    with pytest.raises(UsageError, match="or was until 120 s ago"):
        Claim(out).take()
    monkeypatch.setattr(storage, "changed_secs", lambda path: 1000.0 if path.endswith("owner.json") else 1120.0)
    Claim(out).take()


@pytest.mark.parametrize("is_left", [False, True])
def test_of_launchers_that_start_in_one_instant_one_has_the_directory(
    folder: str, is_left: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where all of them find a claim that has been left for too long."""
    out = f"{folder}/{is_left}"
    if is_left:
        Claim(out).take()
        monkeypatch.setattr(claim, "STALE_SECS", 0.0)
    barrier, really = threading.Barrier(4, timeout=60), claim.owner_version

    def together(output: str) -> str:
        version = really(output)
        barrier.wait()  # all have looked, and none has written
        return version

    def takes(one: Claim) -> bool:
        with suppress(UsageError):
            one.take()
            return True
        return False

    claims = [Claim(out) for _ in range(4)]
    with monkeypatch.context() as patched, ThreadPoolExecutor(4) as pool:
        patched.setattr(claim, "owner_version", together)
        taken = list(pool.map(takes, claims))
    assert taken.count(True) == 1
    assert [one.is_lost() for one in claims] == [not has_it for has_it in taken]


def test_of_two_launchers_on_a_store_without_conditions_the_later_one_has_the_directory(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contended, "_GOOGLE", "no such store")
    out = f"{folder}/out"
    later = Claim(out)
    with pytest.raises(UsageError, match="is being written by another run"):
        Claim(out, sleep=lambda _: write_owner(out, later.token)).take()
    assert not later.is_lost()


def test_a_claim_that_another_launcher_took_is_not_taken_back_by_renewing_it(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launcher that slept between its look and its write finds that somebody has written since."""
    out = f"{folder}/out"
    slept, newcomer = Claim(out), Claim(out)
    slept.take()
    really = claim.renew_owner

    def sleep_and_renew(*arguments: str) -> bool:
        with monkeypatch.context() as patched:
            patched.setattr(claim, "STALE_SECS", 0.0)
            patched.setattr(claim, "renew_owner", really)
            newcomer.take()
        return really(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(claim, "renew_owner", sleep_and_renew)
        assert slept.renew(), "it has not heard of it yet"
    assert not newcomer.is_lost()
    assert not slept.renew()


CLAIMED = (
    "import sys, time\n"
    "from saiten.pipelines import quiet, storage, terminal\n"
    "from saiten.pipelines.run import claim\n"
    "quiet.quiet_libraries()\n"
    "claim._BEAT_SECS, claim._SETTLE_SECS = 0.5, 0.0\n"
    "with claim.claim_output(sys.argv[1]):\n"
)


@pytest.mark.parametrize("left", ["storage.write_atomic(lock, b'{}')", "storage.remove_files([lock])"])
def test_a_launcher_that_slept_leaves_the_directory_to_the_one_that_has_claimed_it(folder: str, left: str) -> None:
    """Also where that one is done with it: its run would be replaced by an older one."""
    folder = f"{folder}/{left[8:13]}"
    lock = f"{folder}/_work/owner.json"
    program = f"{CLAIMED}    lock = {lock!r}\n    {left}\n    time.sleep(60)\n"
    ended = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=False)
    said = f"saiten: --output={folder} was claimed by another run while this one slept: this one ends.\n"
    assert (ended.returncode, ended.stderr) == (1, said)
    assert storage.read_bytes(lock) == (b"{}" if "write" in left else None)


def test_a_launcher_that_is_interrupted_gives_its_claim_back(folder: str) -> None:
    """Else `--resume` would be refused for two minutes."""
    program = f"{CLAIMED}    terminal.end_process(130, 'interrupted.')\n"
    ended = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "saiten: interrupted.\n")
    assert storage.list_files(folder) == []
