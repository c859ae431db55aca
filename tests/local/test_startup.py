"""What nothing here uses is not loaded: it costs every worker time and memory."""

import importlib.util
import pathlib
import subprocess
import sys

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.commands.main import main
from saiten.pipelines.startup import stays_here

NAMES = ["pandas", "matplotlib", "cffi", "scipy", "google.cloud"]
# As a worker begins: what it loads, then what it makes of a column, for pyarrow asks for pandas there.
PROGRAM = """
import sys
from saiten.pipelines.startup import start_light
start_light(only_scores={only_scores}, stays_here={only_scores})
import apache_beam.runners.worker.sdk_worker_main
import saiten.pipelines.steps.pipeline
assert ("urllib3" in sys.modules) is not {only_scores}  # TensorFlow brings it
from saiten.pipelines.quiet import import_tensorflow
import_tensorflow()
import numba, keras, pyarrow as pa
assert pa.array([[1], None]).to_pylist() == [[1], None]
try:
    import pandas
except ModuleNotFoundError as error:
    assert error.name == "pandas", error
else:
    raise SystemExit("pandas was found")
unused = {{"pandas", "matplotlib", "cffi", "pymongo", "scipy", "google.cloud"}}
print(*sorted(unused & sys.modules.keys()))
"""


@pytest.mark.parametrize(("only_scores", "loaded"), [(True, ""), (False, "google.cloud scipy")])
def test_a_process_does_not_load_what_it_does_not_use(only_scores: bool, loaded: str) -> None:
    installed = [name for name in NAMES if importlib.util.find_spec(name)]
    assert installed == NAMES  # or there would be nothing to see
    program = PROGRAM.format(only_scores=only_scores)
    finished = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=300)
    assert (finished.stdout.strip(), finished.returncode) == (loaded, 0), finished.stderr


@pytest.mark.parametrize(
    ("arguments", "here"),
    [
        (["score", "--input=in.csv", "--bundle=b", "--output=out"], True),
        (["score", "--input=in.csv", "--bundle=b", "--output", "gs://bucket/out"], False),
        (["score", "--input=file:///in.csv", "--bundle=b", "--output=out"], False),
        (["score", "--input=in.csv", "--bundle=b", "--output=out", "--runner=DataflowRunner"], False),
        (["score", "--input=in.csv", "--bundle=b", "--output=out", "--runner", "flink"], False),
        (["score", "--subscription=projects/p/subscriptions/s", "--bundle=b", "--output=out"], False),
    ],
)
def test_clients_of_stores_are_left_out_only_where_nothing_lies_or_runs_elsewhere(
    arguments: list[str], here: bool
) -> None:
    assert stays_here(arguments) is here


@pytest.mark.parametrize(
    ("scheme", "library", "extra"), [("s3", "boto3", "aws"), ("gs", "google.cloud.storage", "gcp")]
)
@pytest.mark.parametrize(
    "flags",
    [
        ["score", "--input={}/in", "--bundle={bundle}", "--output=out"],
        ["score", "--input={here}", "--bundle={}/b", "--output=out"],
        ["score", "--input={here}", "--bundle={bundle}", "--output={}/out"],
        ["train", "--input={}/in", "--class_field=a", "--bundle=b"],
        ["inspect", "{}/run"],
    ],
    ids=" ".join,
)
def test_a_path_on_a_store_whose_client_is_missing_names_the_extra(
    scheme: str,
    library: str,
    extra: str,
    flags: list[str],
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("saiten.pipelines.startup.is_installed", lambda _module: False)
    here = {"here": reviews, "bundle": tiny_bundle.path}
    assert main([flag.format(f"{scheme}://bucket", **here) for flag in flags]) == 2
    ways = (
        f"pip install '.[{extra}]' in Saiten's checkout, or pip install 'WHEEL[{extra}]' where WHEEL is the file of its"
    )
    assert capsys.readouterr().err == f"saiten: {library} is not installed: run {ways} wheel.\n"


@pytest.mark.parametrize("module", ["google.api_core.exceptions", "botocore.exceptions", "elsewhere"])
def test_what_a_stores_client_raises_is_one_sentence(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No bucket, no credentials, no network: errors of the client's own kinds. Other errors are faults, and shown."""
    kind = type("Forbidden", (Exception,), {"__module__": module})

    def refuse(_args: object) -> int:
        raise kind("403 GET https://store/b/bucket:\n  no access.")

    monkeypatch.setattr("saiten.pipelines.commands.inspect.run", refuse)
    if module == "elsewhere":
        with pytest.raises(kind):
            main(["inspect", "gs://bucket/run"])
        return
    assert main(["inspect", "gs://bucket/run"]) == 1
    assert capsys.readouterr().err == (
        "saiten: A store or service cannot be reached, or refuses (Forbidden: 403 GET https://store/b/bucket: no "
        "access): check the address, your credentials for it, and the network.\n"
    )
