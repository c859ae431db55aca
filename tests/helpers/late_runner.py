"""A runner whose jobs outlive their launcher: `--runner=tests.helpers.late_runner.LateRunner`.

`LATE_JOB` in the environment names a folder. The job waits there for a file `go`: before it begins, or, where
`LATE_HOLD` is ``commit``, before its commit. It takes a request to be cancelled, and goes on. What became of it is in
the file `ended`. `python -m tests.helpers.late_runner FOLDER` is the job.
"""

import os
import pathlib
import subprocess
import sys
import time
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineRunner, PipelineState
from apache_beam.transforms.environments import EmbeddedPythonEnvironment


class LateRunner(PipelineRunner):  # type: ignore[misc]
    """Starts the job in a process of its own."""

    def run_pipeline(self, pipeline: Any, options: PipelineOptions) -> "LateResult":
        folder = pathlib.Path(os.environ["LATE_JOB"])
        proto = pipeline.to_runner_api(default_environment=EmbeddedPythonEnvironment.default())
        (folder / "job").write_bytes(proto.SerializeToString())
        with (folder / "log").open("wb") as log:
            command = [sys.executable, "-m", "tests.helpers.late_runner", str(folder)]
            subprocess.run(["setsid", "--fork", *command], stdout=log, stderr=log, check=True)
        return LateResult(folder)


class LateResult(PipelineResult):  # type: ignore[misc]
    """A job by its folder."""

    _job_id = "job-7"

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(PipelineState.RUNNING)
        self._folder = folder

    @property
    def state(self) -> str:
        ended = self._folder / "ended"
        if not ended.exists():
            return str(PipelineState.RUNNING)
        return str(PipelineState.DONE if ended.read_text() == "" else PipelineState.FAILED)

    def cancel(self) -> None:
        (self._folder / "cancel").touch()

    def wait_until_finish(self, duration: int | None = None) -> str:
        while self.state == PipelineState.RUNNING:
            time.sleep(0.05)
        return self.state


def wait_for(path: pathlib.Path) -> None:
    """Waits for a file, two minutes at most."""
    for _ in range(2400):
        if path.exists():
            return
        time.sleep(0.05)
    sys.exit(f"{path} did not come.")


def main(folder: pathlib.Path) -> None:
    """Runs the job that lies in the folder."""
    from apache_beam.portability.api import beam_runner_api_pb2

    from saiten.pipelines.steps import commit

    commit_run = commit.commit_run

    def commit_later(*arguments: Any) -> Any:
        (folder / "committing").touch()
        wait_for(folder / "go")
        return commit_run(*arguments)

    if os.environ.get("LATE_HOLD") == "commit":
        commit.commit_run = commit_later
    else:
        wait_for(folder / "go")
    proto = beam_runner_api_pb2.Pipeline.FromString((folder / "job").read_bytes())
    error = ""
    try:
        FnApiRunner().run_via_runner_api(proto, PipelineOptions([])).wait_until_finish()
    except Exception as raised:  # noqa: BLE001 - as text, whatever it is
        error = str(raised)
    partial = folder / "ended.partial"
    partial.write_text(error)
    partial.rename(folder / "ended")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
