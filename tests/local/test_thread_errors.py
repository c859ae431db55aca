"""Errors of threads go where they went before, but for what a lost worker leaves."""

import threading

import pytest

from saiten.pipelines.local.execute import _ending_when_lost
from saiten.pipelines.local.workers import LocalWorkers


def fail() -> None:
    raise ValueError("somebody's")


def test_the_error_of_any_other_thread_goes_to_the_hook_that_was_there(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda failed: heard.append(failed.thread and failed.thread.name))
    with _ending_when_lost(None, LocalWorkers(2, str(tmp_path))):  # type: ignore[arg-type]
        for name in ("somebodys", "beam_control_read", "read_grpc_client_inputs"):
            thread = threading.Thread(target=fail, name=name)
            thread.start()
            thread.join()
    thread = threading.Thread(target=fail, name="beam_control_read")
    thread.start()
    thread.join()
    assert heard == ["somebodys", "beam_control_read"]
