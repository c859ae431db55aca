"""From a message's publishing to the file with its score, by how long messages may wait for company.

.venv/bin/python -m benchmarks.stream_latency --input=news.jsonl --bundle=BUNDLE --out=FOLDER

Messages come one by one to an emulator of Pub/Sub; a stream on Prism scores them in windows of a second. Both run on
the loopback, and `scripts/test-engines` brings them.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow.parquet as pq

from saiten.pipelines.run.windows.window_manifest import WindowManifest, Windows
from tests.clusters import emulator, prism
from tests.clusters.jobs import metrics_of_stream, program
from tests.clusters.processes import choose_ports, end_on_signals, wait_for

WAITS_MS = (0, 200, 1000)
WINDOW_SECS = 1
_MOST_SECS = 120.0


@contextmanager
def streaming(arguments: argparse.Namespace, output: pathlib.Path, wait_ms: int) -> Iterator[None]:
    """A stream of messages while the block runs."""
    asked = [f"--bundle={arguments.bundle}", f"--output={output}", f"--max_batch_wait_ms={wait_ms}", "--id_field=id"]
    source = f"--subscription={emulator.SUBSCRIPTION_PATH}"
    command = [*program(), "--streaming", "--quiet", source, f"--window_secs={WINDOW_SECS}", *asked, *prism.flags()]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: list(Windows(str(output)).new()), "the first window did not come", _MOST_SECS)
            yield
        finally:
            process.send_signal(signal.SIGINT)


def publish(lines: list[bytes], every_ms: float) -> dict[str, float]:
    """Publishes records one by one; returns when, by id."""
    from google.cloud.pubsub_v1 import PublisherClient

    client, published = PublisherClient(), {}
    topic = client.topic_path(emulator.PROJECT, emulator.TOPIC)
    for line in lines:
        client.publish(topic, line).result()
        published[json.loads(line)["id"]] = time.time()
        time.sleep(every_ms / 1e3)
    client.stop()
    return published


def latencies(output: pathlib.Path, published: dict[str, float]) -> list[float]:
    """Returns the seconds from publishing to the window's manifest, of each record."""
    found = []
    for manifest in Windows(str(output)).new():
        for part in manifest.parts:
            ids = pq.read_table(output / part.part.path, columns=["id"])["id"].to_pylist()
            found += [manifest.committed - published[each] for each in ids]
    return sorted(found)


def count(windows: Iterator[WindowManifest]) -> int:
    """Returns how many records the windows hold."""
    return sum(manifest.counts.records for manifest in windows)


def measure(arguments: argparse.Namespace, lines: list[bytes], wait_ms: int) -> str:
    """Returns a row of the table."""
    output = pathlib.Path(arguments.out).resolve() / f"wait-{wait_ms}"
    shutil.rmtree(output, ignore_errors=True)
    emulator.up()
    with streaming(arguments, output, wait_ms):
        published = publish(lines, arguments.every_ms)
        wait_for(lambda: count(Windows(str(output)).new()) >= len(lines), "not all records came", _MOST_SECS)
        _, distributions = metrics_of_stream(output, prism.flags())
    n_batches, n_records = distributions["batch-records"]
    secs = latencies(output, published)
    last = secs[int(len(secs) * 0.95)]
    return f"| {wait_ms} | {n_records / n_batches:.1f} | {statistics.median(secs):.2f} | {last:.2f} | {secs[-1]:.2f} |"


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=pathlib.Path, required=True, help="JSON Lines with an id and a text each")
    parser.add_argument("--bundle", type=os.path.abspath, required=True)
    parser.add_argument("--out", required=True, help="a folder for the windows")
    parser.add_argument("--records", type=int, default=300)
    parser.add_argument("--every_ms", type=float, default=50)
    arguments = parser.parse_args()
    with arguments.input.open("rb") as file:
        lines = [line for line, _ in zip(file, range(arguments.records), strict=False)]
    end_on_signals()
    choose_ports()
    try:
        emulator.up()
        prism.up()
        print("| `--max_batch_wait_ms` | records scored together | median, s | 95 % below, s | longest, s |")
        print("| ---: | ---: | ---: | ---: | ---: |")
        for wait_ms in WAITS_MS:
            print(measure(arguments, lines, wait_ms), flush=True)
    finally:
        prism.down()
        emulator.down()


if __name__ == "__main__":
    main()
