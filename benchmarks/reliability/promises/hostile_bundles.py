"""Hostile bundles: the suite's own tables of them, counted."""

import subprocess
import sys
import xml.etree.ElementTree as ET

from benchmarks.reliability.bench import CHECKOUT, Bench
from benchmarks.reliability.outcome import Outcome

_TESTS = ("tests/bundle/test_bundle_refused.py", "tests/keras_models/test_saved_model.py")


def run(bench: Bench, times: int | None) -> list[Outcome]:  # noqa: ARG001 - the tables say how many there are
    """Runs the tests that forge bundles; each refuses one before it is loaded."""
    report = bench.folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *_TESTS]
    subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, check=False)
    outcomes = {path: Outcome("hostile bundles", path) for path in _TESTS}
    for case in ET.parse(report).iter("testcase"):
        outcome = outcomes[case.attrib["classname"].replace(".", "/") + ".py"]
        outcome.tries += 1
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.broken.append(case.attrib["name"])
    return list(outcomes.values())
