"""What Dataflow is given: a job's description, a template's parameters, an image."""

import json
import pathlib
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import EmbeddedPythonEnvironment

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines import storage
from saiten.pipelines.commands.main import main
from saiten.pipelines.commands.score_flags import without_values_of_switches
from saiten.pipelines.local import launch
from saiten.pipelines.reading.files import InputFile
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import WorkPlan
from saiten.pipelines.records import FileSlice, WorkRange
from saiten.pipelines.run.results import read_scores
from saiten.pipelines.run.run_manifest import read_run_manifest
from scripts import make_template
from tests.clusters.install import locked_versions
from tests.helpers.object_store import emulated
from tests.helpers.scoring import TEXTS

ROOT = pathlib.Path(__file__).parents[2]
METADATA = json.loads((ROOT / "dataflow" / "metadata.json").read_text(encoding="utf-8"))
PARAMETERS = {parameter["name"]: parameter for parameter in METADATA["parameters"]}
MOST_BYTES = 10_000_000  # more is refused
IMAGE = "europe-docker.example/saiten/worker:1"


@pytest.fixture(scope="module")
def store(tiny_bundle: StoredBundle) -> Iterator[str]:
    """A bucket with a bundle and input."""
    pytest.importorskip("google.cloud.dataflow_v1beta3", reason="needs google-cloud-dataflow-client")
    with emulated() as bucket:
        for path in pathlib.Path(tiny_bundle.path).iterdir():
            storage.write_atomic(f"{bucket}/bundle/{path.name}", path.read_bytes())
        storage.write_atomic(f"{bucket}/in/a.txt", ("\n".join(TEXTS) + "\n").encode())
        yield bucket


def flags(store: str, source: str, output: str) -> list[str]:
    return [
        "score",
        f"--input={store}/{source}",
        f"--bundle={store}/bundle",
        f"--output={store}/{output}",
        "--runner=DataflowRunner",
        "--project=saiten-tests",
        "--region=asia-northeast1",
        f"--temp_location={store}/temp",
        "--no_auth",
        "--machine_type=n2-standard-4",
        f"--sdk_container_image={IMAGE}",
        "--max_num_workers=20",
        "--quiet",
    ]


def steps_of(proto: beam_runner_api_pb2.Pipeline) -> list[str]:
    """The names that the job page shows, in the order of the pipeline."""
    (root,) = proto.root_transform_ids
    transforms = proto.components.transforms
    return [transforms[each].unique_name for each in transforms[root].subtransforms]


def staged(store: str) -> beam_runner_api_pb2.Pipeline:
    """The pipeline that was staged last."""
    paths = [path for path in storage.list_files(f"{store}/temp") if path.endswith("pipeline.pb")]
    newest = max(paths, key=storage.changed_secs)
    content = storage.read_bytes(newest)
    assert content
    assert len(content) < MOST_BYTES
    for path in paths:
        storage.remove_files([path])
    return beam_runner_api_pb2.Pipeline.FromString(content)


def planned(n_files: int) -> WorkPlan:
    """What planning makes of so many files, without looking at each of them."""
    files = {f"{i:06d}.txt": InputFile(f"gs://saiten/in/{i:06d}.txt", 100, "1") for i in range(n_files)}
    slices = [FileSlice(file.path, source, 0, 100, 0, 100, "1") for source, file in files.items()]
    size = max(1, n_files // 64)
    ranges = (WorkRange(i, tuple(slices[i * size : (i + 1) * size])) for i in range(-(-n_files // size)))
    return WorkPlan(ReadOptions(), files, tuple(ranges))


@pytest.mark.parametrize("n_files", [1, 1_000, pytest.param(100_000, marks=pytest.mark.thorough)])
def test_a_job_is_described_without_a_login_and_its_size_does_not_grow_with_the_files(
    store: str, n_files: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from apache_beam.runners.dataflow.internal.apiclient import DataflowApplicationClient
    from google.cloud import dataflow_v1beta3

    submitted: list[Any] = []

    def submit(_client: object, job: Any) -> Any:
        submitted.append(job)
        return dataflow_v1beta3.Job(id="2026-11-30_1", name=job.proto.name, location="asia-northeast1")

    monkeypatch.setattr(DataflowApplicationClient, "submit_job_description", submit)
    output = f"out-{n_files}"
    monkeypatch.setattr(launch, "plan_scoring", lambda *_arguments: planned(n_files))
    assert main([*flags(store, "in/*.txt", output), "--no_wait"]) == 0
    said = capsys.readouterr().err
    (job,) = submitted
    request = json.loads(job.json())
    assert re.fullmatch(r"saiten-\d{8}t\d{6}z-[0-9a-f]{8}", request["name"])
    assert said == (
        f"saiten: the job {request['name']} (2026-11-30_1) of DataflowRunner at https://console.cloud.google.com/"
        "dataflow/jobs/asia-northeast1/2026-11-30_1?project=saiten-tests has begun; "
        f"saiten inspect {store}/{output} tells how far it is.\n"
    )
    environment = request["environment"]
    (pool,) = environment["workerPools"]
    assert pool["machineType"] == "n2-standard-4"
    assert [image["containerImage"] for image in pool["sdkHarnessContainerImages"]] == [IMAGE]
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 20
    options = environment["sdkPipelineOptions"]["options"]
    assert (options["project"], options["region"]) == ("saiten-tests", "asia-northeast1")
    assert len(job.json()) < 100_000
    proto = staged(store)
    assert steps_of(proto) == [
        "PlannedRanges",
        "SpreadRanges",
        "ReadRecords",
        "EncodeText",
        "RunInference",
        "WriteParts",
        "Commit",
    ]
    assert len(proto.SerializeToString()) < 150_000


def test_a_template_job_which_no_launcher_waits_for_commits_by_itself(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    template = f"{store}/templates/job.json"
    assert main([*flags(store, "in/a.txt", "template-out"), f"--template_location={template}"]) == 0
    assert template in capsys.readouterr().err
    assert json.loads(storage.read_bytes(template) or b"")["environment"]["workerPools"]
    assert read_run_manifest(f"{store}/template-out") is None, "nothing has run"
    proto = staged(store)
    embedded = EmbeddedPythonEnvironment.default().to_runner_api(None)
    for environment in proto.components.environments.values():
        environment.CopyFrom(embedded)
    FnApiRunner().run_via_runner_api(proto, PipelineOptions([])).wait_until_finish()
    assert read_scores(f"{store}/template-out").num_rows == len(TEXTS)
    assert storage.list_files(f"{store}/template-out/_work") == []


def test_the_templates_parameters_are_the_flags_and_each_has_a_pattern() -> None:
    assert make_template.metadata() == METADATA, "run scripts/make_template.py"
    assert make_template.LEFT_OUT & PARAMETERS.keys() == set()
    for parameter in PARAMETERS.values():
        (pattern,) = parameter["regexes"]
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        assert parameter["helpText"]
    assert [name for name, parameter in PARAMETERS.items() if not parameter["isOptional"]] == ["bundle", "output"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("input", ["gs://b/in/*.jsonl,gs://b/more"], ["", "in/a.txt", "gs://"]),
        ("keep_fields", ["shop", "shop,stars:int64"], ["", "shop,,stars", "shop\n"]),
        ("encoding", ["utf-8", "cp932"], ["", "utf 8"]),
        ("engine", ["auto", "packed", "keras"], ["", "cuda"]),
        ("max_dead_letter_rate", ["0", "0.01", "1", ".5"], ["2", "-1", "1.5"]),
        ("top", ["1", "10"], ["", "-1", "1.5"]),
        ("window_secs", ["60", "1.5"], ["", "a minute"]),
        ("resume", ["true", "false"], ["", "yes"]),
        ("subscription", ["projects/p/subscriptions/s"], ["s", "projects/p/topics/s"]),
    ],
)
def test_a_pattern_takes_what_is_right_and_nothing_else(name: str, good: list[str], bad: list[str]) -> None:
    (pattern,) = PARAMETERS[name]["regexes"]
    assert [value for value in good if not re.fullmatch(pattern, value)] == []
    assert [value for value in bad if re.fullmatch(pattern, value)] == []


def test_a_templates_switches_are_those_of_the_command_line() -> None:
    given = ["--resume=true", "--no_raw=false", "--input=gs://b/a=true", "--table_files=True", "--quiet", "--x=true"]
    expected = ["--resume", "--input=gs://b/a=true", "--table_files", "--quiet", "--x=true"]
    assert without_values_of_switches(given) == expected


def test_the_image_installs_the_versions_of_the_lock() -> None:
    """Its command, run here: `pip` takes a constraint that it cannot read for an error, and a missing one for none."""
    image = (ROOT / "dataflow" / "Dockerfile").read_text(encoding="utf-8")
    command = re.search(r"^RUN (sed .+) > /tmp/constraints.txt \\$", image, re.MULTILINE)
    assert command
    here = command[1].replace("/tmp/saiten", str(ROOT))
    found = subprocess.check_output(["bash", "-c", here], text=True).splitlines()
    assert [line.strip() for line in found] == locked_versions()
    assert all(re.match(r"[A-Za-z0-9._-]+==[^ ;]+( ;.+)?$", line.strip()) for line in found)


def test_the_image_has_the_locked_beam_starts_what_is_there_and_takes_no_tensorflow_unasked() -> None:
    image = (ROOT / "dataflow" / "Dockerfile").read_text(encoding="utf-8")
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    beam = re.search(r"^apache-beam==(\S+)", lock, re.MULTILINE)
    assert beam
    assert f"FROM apache/beam_python3.11_sdk:{beam[1]}\n" in image
    assert re.search(r"^ARG EXTRAS=(\S+)$", image, re.MULTILINE)[1] == "gcp"  # type: ignore[index]
    program = re.search(r"^ENV FLEX_TEMPLATE_PYTHON_PY_FILE=.*/site-packages/saiten/(\S+)$", image, re.MULTILINE)
    assert program
    assert (ROOT / program[1]).is_file()
    sent = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [name for name in sent if name.startswith("!") and not (ROOT / name[1:]).exists()] == []
