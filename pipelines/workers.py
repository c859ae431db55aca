"""Local worker processes, from the launcher's side."""

import contextlib
import os
import shlex
import signal
import sys
from dataclasses import dataclass

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from pipelines import storage
from pipelines.worker import PID_PREFIX


@dataclass(frozen=True)
class LocalWorkers:
    """The worker processes of a local run.

    Attributes:
        count: How many; 1 means that the run goes on in the launcher itself.
        folder: The run's work folder, where each worker leaves its process id and its log.
    """

    count: int
    folder: str

    def runner(self) -> FnApiRunner:
        """Returns Beam's local runner with `pipelines.worker` as its worker program.

        Beam's own ``multi_processing`` mode starts the same processes, but they write their logs on the
        terminal and live on when the launcher is killed.
        """
        if self.count == 1:
            return FnApiRunner()
        command = [sys.executable, "-m", "pipelines.worker", self.folder, str(os.getpid())]
        return FnApiRunner(SubprocessSDKEnvironment.from_command_string(f"exec {shlex.join(command)}"))

    def options(self, flags: list[str]) -> PipelineOptions:
        """Returns Beam's options for `runner`."""
        return PipelineOptions(
            [*flags, f"--direct_num_workers={self.count}", "--default_sdk_harness_log_level=WARNING"]
        )

    def kill(self) -> None:
        """Ends the workers at once."""
        for path in storage.list_files(self.folder):
            name = path.rpartition("/")[2]
            if name.startswith(PID_PREFIX):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(name.removeprefix(PID_PREFIX)), signal.SIGKILL)
