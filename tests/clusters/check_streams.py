"""Streams on Prism and on Flink: every record in one window, once, with the scores of this machine."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import orjson
import pyarrow as pa
import pytest

from saiten.pipelines.run.results import read_dead_letters, read_scores
from saiten.pipelines.run.windows.window_manifest import WindowManifest, Windows
from tests.clusters import emulator, flink, prism
from tests.clusters.jobs import counted_as_said, end_of, program, same_scores
from tests.clusters.processes import wait_for

Figure = Callable[[str], None]
WINDOW_SECS, POLL_SECS = 5, 1
FILES, FILE_RECORDS = 3, 50
_ALL_SECS = 150.0


@pytest.fixture(scope="module")
def lines(articles: pathlib.Path) -> list[bytes]:
    return articles.read_bytes().splitlines(keepends=True)[: FILES * FILE_RECORDS]


@contextlib.contextmanager
def streaming(
    bundle: pathlib.Path, output: pathlib.Path, *flags: str, ends_by: int = signal.SIGINT
) -> Iterator["subprocess.Popen[str]"]:
    """A stream while the block runs; then its launcher gets the signal, Ctrl-C's unless another is said."""
    asked = [*program(), "--streaming", f"--bundle={bundle}", f"--output={output}", f"--window_secs={WINDOW_SECS}"]
    command = [*asked, f"--poll_secs={POLL_SECS}", "--id_field=id", *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
            process.send_signal(ends_by)
            ended = end_of(process)
            if ends_by == signal.SIGINT:
                assert ended.exit_code == 130, ended.said
                assert "the windows that are there are whole" in ended.said, ended.said
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_for_windows(output: pathlib.Path, process: "subprocess.Popen[str]") -> None:
    """Returns when the first window is there."""

    def has_one() -> bool:
        assert process.poll() is None, f"the stream ended: {end_of(process).said}"
        return bool(list(Windows(str(output)).new()))

    wait_for(has_one, "the first window did not come", _ALL_SECS)


def wait_for_records(
    output: pathlib.Path, count: int, process: "subprocess.Popen[str]", n_jobs: int = 1
) -> list[WindowManifest]:
    """Returns the windows when they hold so many records, and so many jobs have written some."""

    def has_all() -> bool:
        assert process.poll() is None, f"the stream ended: {end_of(process).said}"
        windows = list(Windows(str(output)).new())
        n_writers = len({manifest.run_id for manifest in windows})
        return n_writers >= n_jobs and sum(manifest.counts.records for manifest in windows) >= count

    wait_for(has_all, f"not all {count} records came", _ALL_SECS)
    return list(Windows(str(output)).new())


def arrive(
    folder: pathlib.Path, lines: list[bytes], first: int = 0, stop: int = FILES, pause_secs: float = 0
) -> dict[str, float]:
    """Lets files arrive one by one; returns when each of them was there."""
    folder.mkdir(exist_ok=True)
    arrived = {}
    for i in range(first, stop):
        name = f"{i}.jsonl"
        (folder / name).write_bytes(b"".join(lines[i * FILE_RECORDS : (i + 1) * FILE_RECORDS]))
        arrived[name] = time.time()
        time.sleep(pause_secs)
    return arrived


def check_files(output: pathlib.Path, local_scores: pa.Table, windows: list[WindowManifest]) -> float:
    """Makes sure that each record is there once, with this machine's scores; returns the largest difference."""
    assert sum(manifest.counts.scored for manifest in windows) == FILES * FILE_RECORDS
    assert read_dead_letters(str(output)).num_rows == 0
    return same_scores(read_scores(str(output)), local_scores)


def test_files(
    bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    lines: list[bytes],
    local_scores: pa.Table,
    prism_server: None,
    figure: Figure,
) -> None:
    output, folder = tmp_path / "out", tmp_path / "in"
    with streaming(bundle, output, f"--input={folder}/*.jsonl", *prism.flags()) as process:
        wait_for_windows(output, process)
        arrived = arrive(folder, lines, pause_secs=WINDOW_SECS + 1)
        windows = wait_for_records(output, len(lines), process)
    largest = check_files(output, local_scores, windows)
    secs = [manifest.committed - arrived[name] for manifest in windows for name in manifest.sources]
    empty = sum(1 for manifest in windows if not manifest.counts.records)
    figure(
        f"{len(lines)} rows in {len(windows)} windows of {WINDOW_SECS} s, {empty} of them empty, largest difference "
        f"{largest:g}, {min(secs):.1f} to {max(secs):.1f} s from arrival to file"
    )


def test_restarted(
    bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    lines: list[bytes],
    local_scores: pa.Table,
    engine_flags: list[str],
    figure: Figure,
) -> None:
    """Of two launchers that end in the middle one is killed, and its job goes on: --resume goes on from there."""
    output, folder = tmp_path / "out", tmp_path / "in"
    # A checkpoint falls into every step's first Beam bundle, which Flink once kept back for ever.
    flags = [f"--input={folder}/*.jsonl", "--beam_option=checkpointing_interval=500", *engine_flags]
    with streaming(bundle, output, *flags, ends_by=signal.SIGKILL) as process:
        arrive(folder, lines, 0, 1)
        wait_for_records(output, FILE_RECORDS, process)
        arrive(folder, lines, 1, 2)
    before = content(output)
    with streaming(bundle, output, "--resume", *flags) as process:
        wait_for_records(output, 2 * FILE_RECORDS, process, n_jobs=2)
        before.update(content(output))
        arrive(folder, lines, 2, 3)
        time.sleep(2 * POLL_SECS)
    before.update(content(output))
    with streaming(bundle, output, "--resume", *flags) as process:
        windows = wait_for_records(output, len(lines), process, n_jobs=3)
    largest = check_files(output, local_scores, windows)
    after = content(output)
    assert {name: after.get(name) for name in before} == before, "what was written is written again"
    figure(f"exact, {len(lines)} rows in {len(windows)} windows of 3 jobs, largest difference {largest:g}")


def content(output: pathlib.Path) -> dict[str, bytes]:
    """All that windows and their manifests hold."""
    files = (path for folder in ("windows", "scores", "dead_letters") for path in (output / folder).glob("[!.]*"))
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


def test_subscription(
    bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    lines: list[bytes],
    local_scores: pa.Table,
    engine_flags: list[str],
    figure: Figure,
) -> None:
    output = tmp_path / "out"
    try:
        emulator.up()
        flags = [f"--subscription={emulator.SUBSCRIPTION_PATH}", "--keep_fields=shop", *engine_flags]
        with streaming(bundle, output, *flags) as process:
            wait_for_windows(output, process)
            began = time.time()
            emulator.publish([(line.rstrip(b"\n"), {"shop": "東京"}) for line in lines] + [(b"{", {})])
            windows = wait_for_records(output, len(lines) + 1, process)
            wait_for(lambda: emulator.count_left() == 0, "not all messages were acknowledged", _ALL_SECS)
            # Flink tells no metrics of a job that goes on.
            counted = f", {counted_as_said(output, windows, engine_flags)}" if engine_flags == prism.flags() else ""
    finally:
        emulator.down()
    scores = read_scores(str(output))
    assert set(scores["shop"].to_pylist()) == {"東京"}
    assert read_dead_letters(str(output))["code"].to_pylist() == ["BAD_JSON"]
    largest = same_scores(scores.drop_columns("shop"), local_scores)
    secs = max(manifest.committed for manifest in windows if manifest.counts.records) - began
    figure(
        f"{len(lines)} messages and 1 dead letter, all acknowledged, largest difference {largest:g}, "
        f"all in files after {secs:.1f} s{counted}"
    )


def test_bundle_watch(
    bundle: pathlib.Path,
    other_bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    lines: list[bytes],
    engine_flags: list[str],
    figure: Figure,
) -> None:
    output, folder, watched = tmp_path / "out", tmp_path / "in", tmp_path / "bundles"
    watched.mkdir()
    flags = [f"--input={folder}/*.jsonl", f"--bundle_watch={watched}/*", *engine_flags]
    with streaming(bundle, output, *flags) as process:
        arrive(folder, lines)
        wait_for_records(output, len(lines), process)
        damaged = pathlib.Path(shutil.copytree(other_bundle, watched / "v3"))
        (damaged / "vocabulary.json").write_bytes(b"[]")
        shutil.copytree(other_bundle, watched / "v2")
        wait_for(lambda: list(output.glob("_work/*/bundle.json")), "no bundle was taken over", _ALL_SECS)
        time.sleep(3)
        (folder / "9.jsonl").write_bytes(b"".join(lines[:FILE_RECORDS]))
        windows = wait_for_records(output, len(lines) + FILE_RECORDS, process)
        refused = [orjson.loads(path.read_bytes()) for path in output.glob("_work/*/refused-*.json")]
    assert [pathlib.Path(each["path"]).name for each in refused] == ["v3"]
    ids = [orjson.loads((path / "manifest.json").read_bytes())["bundle_id"] for path in (bundle, other_bundle)]
    by_source = {source: part.bundle_id for m in windows for source in m.sources for part in m.parts}
    assert by_source == {**{f"{i}.jsonl": ids[0] for i in range(FILES)}, "9.jsonl": ids[1]}
    figure("taken over between two files, a damaged one refused")


def test_flink_files_with_a_task_manager_killed(
    bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    lines: list[bytes],
    local_scores: pa.Table,
    whole_cluster: None,
    figure: Figure,
) -> None:
    output, folder = tmp_path / "out", tmp_path / "in"
    with streaming(bundle, output, f"--input={folder}/*.jsonl", *flink.flags()) as process:
        wait_for_windows(output, process)
        arrive(folder, lines, pause_secs=POLL_SECS)
        flink.kill_part(flink.TASK_MANAGERS[0])
        flink.start_part(flink.TASK_MANAGERS[0])
        windows = wait_for_records(output, len(lines), process)
    largest = check_files(output, local_scores, windows)
    figure(f"exact, {len(lines)} rows in {len(windows)} windows, largest difference {largest:g}")
