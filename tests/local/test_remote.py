"""What is judged before a job goes to a runner elsewhere."""

import pathlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.errors import UsageError
from saiten.pipelines.local import remote
from saiten.pipelines.local.execute import Execution
from saiten.pipelines.local.remote import refuse_unready, refuse_unseen, remote_execution
from tests.helpers.scoring import score


@pytest.fixture
def nobody() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def silent() -> Iterator[str]:
    """One where somebody listens, but does not speak."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def job_server() -> Iterator[str]:
    """One that speaks as job servers do."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


@pytest.mark.parametrize("flag", ["runner=PortableRunner --job_endpoint", "runner=FlinkRunner --flink_master"])
def test_where_nobody_listens_is_said_at_once(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    nobody: str,
    flag: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    began = time.monotonic()
    runner, _, address = flag.partition(" ")
    assert score(tiny_bundle, reviews, tmp_path / "out", f"--{runner}", f"{address}={nobody}") == 2
    assert capsys.readouterr().err == (
        f"saiten: {address}={nobody}: nobody listens there ([Errno 111] Connection refused); start it first.\n"
    )
    assert time.monotonic() - began < 10
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["no-such-host.invalid:8099", "192.0.2.1:8099", "localhost:not-a-port", ":8099"])
def test_what_is_no_address_or_does_not_answer_is_said_within_ten_seconds(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_LISTEN_SECS", 0.5)
    with pytest.raises(UsageError, match=f"--job_endpoint={address}: nobody listens there"):
        refuse_unready(remote_execution("PortableRunner", [f"--job_endpoint={address}"]))
    refuse_unready(remote_execution("PortableRunner", ["--job_endpoint=embed"]))
    with pytest.raises(UsageError, match="A runner's address will not do: Invalid IPv6 URL"):
        refuse_unready(remote_execution("PortableRunner", ["--job_endpoint=[::1:8099"]))


def test_somebody_who_is_no_job_server_is_not_waited_for(
    silent: str, job_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_unready(remote_execution("PortableRunner", [f"--job_endpoint={job_server}"]))
    monkeypatch.setattr(remote, "_LISTEN_SECS", 0.5)
    with pytest.raises(UsageError, match=f"--job_endpoint={silent}: nobody listens there"):
        refuse_unready(remote_execution("PortableRunner", [f"--job_endpoint={silent}"]))


def test_options_that_a_runner_lacks_are_one_sentence() -> None:
    said = "^--runner=DataflowRunner: Missing GCS path option: --temp_location.$"
    with pytest.raises(UsageError, match=said):
        refuse_unready(remote_execution("DataflowRunner", []))


class DataflowRunner(FnApiRunner):  # type: ignore[misc]
    """Dataflow's name is all that is looked at."""


@pytest.mark.parametrize(
    ("runner", "flags", "is_seen"),
    [
        (FnApiRunner(), [], True),
        (FnApiRunner(), ["--job_endpoint=localhost:8099", "--flink_master=127.0.0.11:8081"], True),
        (FnApiRunner(), ["--job_endpoint=embed", "--flink_master=[auto]"], True),
        (FnApiRunner(), [f"--job_endpoint={socket.gethostname()}:8099"], True),
        (FnApiRunner(), ["--job_endpoint=192.0.2.1:8099"], False),
        (FnApiRunner(), ["--flink_master=http://192.0.2.1:8081"], False),
        (FnApiRunner(), ["--flink_master=[2001:db8::1]:8081"], False),
        (DataflowRunner(), [], False),
    ],
)
def test_a_path_of_this_machine_is_refused_where_the_workers_are_on_others(
    runner: FnApiRunner, flags: list[str], is_seen: bool, tmp_path: pathlib.Path
) -> None:
    execution = Execution(runner, PipelineOptions(flags), None)
    refuse_unseen(execution, "output", ["gs://bucket/out"])
    if is_seen:
        refuse_unseen(execution, "output", [str(tmp_path)])
        return
    with pytest.raises(UsageError, match=f"--output has {tmp_path}, which is on this machine, where the workers of"):
        refuse_unseen(execution, "output", ["gs://bucket/out", str(tmp_path)])


def test_a_mounted_place_that_other_machines_may_see_too_is_let_through(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/a {tmp_path}/shared nfs4 rw 0 0\n")
    monkeypatch.setattr(remote, "_MOUNTS", str(mounts))
    far = Execution(DataflowRunner(), PipelineOptions([]), None)
    refuse_unseen(far, "output", [f"{tmp_path}/shared/out"])
    with pytest.raises(UsageError, match="is on this machine"):
        refuse_unseen(far, "output", [f"{tmp_path}/shared2/out"])


@pytest.mark.parametrize("flag", ["output", "bundle", "input"])
def test_each_local_path_of_a_remote_run_is_refused_before_any_work(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flag: str,
) -> None:
    from saiten.pipelines.local import launch

    far = Execution(DataflowRunner(), PipelineOptions([]), None)
    monkeypatch.setattr(launch, "remote_execution", lambda _runner, _flags: far)
    kept = {"output": str(tmp_path / "out"), "bundle": str(tiny_bundle.path), "input": str(reviews)}
    monkeypatch.setattr(remote, "_is_shared", lambda path: path != kept[flag])
    asked: list[Execution] = []
    monkeypatch.setattr(launch, "refuse_unready", asked.append)
    assert score(tiny_bundle, reviews, tmp_path / "out", "--runner=DataflowRunner") == 2
    assert not asked, "Google is asked, and waited for, before what is on this machine is looked at."
    assert capsys.readouterr().err == (
        f"saiten: --{flag} has {kept[flag]}, which is on this machine, where the workers of DataflowRunner cannot see "
        "it: give a place that all see, such as gs://bucket/path.\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("workers", "is_here"),
    [
        ("localhost:50000", True),
        ("a-name-that-task-managers-know.invalid:50000", True),
        ("192.0.2.1:50000", False),
        ('{"url": "192.0.2.1:50000"}', False),
    ],
)
def test_workers_elsewhere_are_known_by_their_own_address_too(
    workers: str, is_here: bool, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job server on this machine may stand in front of a cluster that is not."""
    monkeypatch.setattr(remote, "_is_shared", lambda _path: False)
    flags = ["--job_endpoint=localhost:8099", "--environment_type=EXTERNAL", f"--environment_config={workers}"]
    execution = Execution(FnApiRunner(), PipelineOptions(flags), None)
    if is_here:
        refuse_unseen(execution, "output", [str(tmp_path)])
        return
    with pytest.raises(UsageError, match=f"--output has {tmp_path}, which is on this machine, where the workers of"):
        refuse_unseen(execution, "output", [str(tmp_path)])
