"""What nothing here uses is not loaded: it costs every worker time and memory."""

import importlib.util
import subprocess
import sys

import pytest

# As a worker begins: what it loads, then what it makes of a column, for pyarrow asks for pandas there.
PROGRAM = """
import sys
from saiten.pipelines.unused import leave_out_unused
leave_out_unused(only_scores={only_scores})
import apache_beam.runners.worker.sdk_worker_main
import saiten.pipelines.steps.pipeline
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
print(*sorted({{"pandas", "matplotlib", "cffi", "pymongo", "scipy"}} & sys.modules.keys()))
"""


@pytest.mark.parametrize(("only_scores", "loaded"), [(True, ""), (False, "scipy")])
def test_a_process_does_not_load_what_it_does_not_use(only_scores: bool, loaded: str) -> None:
    installed = [name for name in ("pandas", "matplotlib", "cffi", "scipy") if importlib.util.find_spec(name)]
    assert installed == ["pandas", "matplotlib", "cffi", "scipy"]  # or there would be nothing to see
    program = PROGRAM.format(only_scores=only_scores)
    finished = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=300)
    assert (finished.stdout.strip(), finished.returncode) == (loaded, 0), finished.stderr
