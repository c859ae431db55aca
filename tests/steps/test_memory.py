"""What a worker's memory holds once it can score."""

import pathlib
import re
import subprocess
import sys

import pytest

from saiten.model.bundle.bundle import StoredBundle

LOADED = (
    "import sys\n"
    "from saiten.pipelines.steps.scoring_bundle import ScoringBundle\n"
    "ScoringBundle(sys.argv[1], sys.argv[2], 'packed').load_engine()\n"
    "print(open('/proc/self/smaps').read())\n"
)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_the_compiler_takes_no_memory_once_the_kernels_are_loaded(tiny_bundle: StoredBundle) -> None:
    """It is 72 MB of each worker otherwise."""
    command = [sys.executable, "-c", LOADED, str(tiny_bundle.path), tiny_bundle.bundle_id]
    smaps = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    mappings = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", smaps, flags=re.MULTILINE)
    compiler = [mapping for mapping in mappings if "libllvmlite" in mapping]
    assert pathlib.Path(compiler[0].split("\n")[0].split()[-1]).exists()
    resident_kb = sum(int(re.findall(r"^Rss: +(\d+) kB", mapping, re.MULTILINE)[0]) for mapping in compiler)
    assert resident_kb < 8_000
