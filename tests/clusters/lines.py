"""A line a check, with its figure: a plugin that `scripts/test-engines` loads, so that no other test is told so."""

import time

import pytest

STARTED = time.time()


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Keeps pytest's dots out of the lines."""
    return (report.outcome, "", "") if report.when == "call" and report.passed else None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Prints what a check is called and what it found."""
    if report.when != "call" and report.passed:
        return
    name = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
    found = dict(report.user_properties).get("figure", "held")
    if report.failed:
        found = f"FAILED: {report.longrepr.reprcrash.message.splitlines()[0]}"  # type: ignore[union-attr]
    print(f"{name}: {found} ({report.duration:.0f} s)", flush=True)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many held, in how long."""
    held, secs = len(terminalreporter.getreports("passed")), time.time() - STARTED
    print(f"test-engines: {held} of {terminalreporter._numcollected} checks held; {secs:.0f} s")
