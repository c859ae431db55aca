"""Where a run's job is, if it runs elsewhere: for whoever looks at its output directory."""

from dataclasses import dataclass

from saiten.pipelines import storage
from saiten.pipelines.run.json_file import read_json, to_json

JOB_NOTE = "job.json"


@dataclass(frozen=True)
class JobNote:
    """A job as its runner knows it.

    Attributes:
        runner: The name of Beam's runner.
        name: What the job is called there.
        job_id: Its number there.
        address: Where a person, or a program, asks for it.
    """

    runner: str
    name: str
    job_id: str
    address: str

    def __str__(self) -> str:
        number = f" ({self.job_id})" if self.job_id else ""
        return f"{self.name}{number} of {self.runner}{f' at {self.address}' if self.address else ''}"


def write_job_note(folder: str, job: JobNote) -> None:
    """Notes down, in a run's work folder, where its job is."""
    storage.write_atomic(storage.join(folder, JOB_NOTE), to_json(job))


def read_job_note(folder: str) -> JobNote | None:
    """Returns where a run's job is; None where it is on the launcher's machine."""
    return read_json(storage.join(folder, JOB_NOTE), JobNote)
