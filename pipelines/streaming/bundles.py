"""Another bundle takes the place of the one that scores, while the stream goes on.

A new one is judged in a process of its own. What has passed is written down in the run's work folder, where every
worker looks; so vocabulary and model change together, from one block to the next.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import apache_beam as beam
import xxhash

from saiten.model.bundle.bundle_files import BUNDLE_MANIFEST
from saiten.pipelines import storage
from saiten.pipelines.beam_metrics import count
from saiten.pipelines.run.json_file import read_json, to_json
from saiten.pipelines.steps.scoring_bundle import ScoringBundle
from saiten.pipelines.streaming.stream import Stream

_CURRENT = "bundle.json"
_REFUSED = "refused-"
_LOOK_SECS = 2.0


@dataclass(frozen=True)
class CurrentBundle:
    """Where the bundle is that has passed last, and which one it is."""

    path: str
    bundle_id: str


@dataclass(frozen=True)
class RefusedBundle:
    """A bundle that the stream does not go over to."""

    path: str
    reason: str


@dataclass
class WatchBundles(beam.PTransform):
    """Looks for bundles each time that an element comes; gives the paths of those that the stream goes over to."""

    stream: Stream

    def expand(self, polls: beam.PCollection) -> beam.PCollection:
        one_place = polls | "OnePlace" >> beam.WithKeys("") | "InOrder" >> beam.Reshuffle()
        return one_place | "Judge" >> beam.ParDo(_WatchBundlesDoFn(self.stream))


class _WatchBundlesDoFn(beam.DoFn):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def setup(self) -> None:
        self._watch = BundleWatch(self._stream)

    def process(self, _poll: object) -> Iterator[str]:
        with self._stream.run.reports.reported():
            yield from self._watch.look()


class BundleWatch:
    """Goes over to the newest bundle that passes, by the order of names.

    Args:
        stream: Whose bundle it is.
        judge: Gives a bundle's id, or raises ValueError with the reason why it will not do; injected in tests.
    """

    def __init__(self, stream: Stream, judge: "Callable[[Stream, str], str] | None" = None) -> None:
        self._stream = stream
        self._judge = judge or _judge_elsewhere
        self._judged: set[tuple[str, str]] = set()

    def look(self) -> Iterator[str]:
        """Yields the bundle's path where there is another one."""
        current = read_current(self._stream)
        for path in reversed(_candidates(self._stream.bundle_watch or "")):
            if path == current.path:
                return
            # One that is still being copied is looked at again when there is more of it.
            key = (path, _content_of(path))
            if key in self._judged:
                continue
            self._judged.add(key)
            try:
                bundle_id = self._judge(self._stream, path)
            except ValueError as error:
                self._refuse(path, str(error))
                continue
            if bundle_id != current.bundle_id:
                _write(self._stream, _CURRENT, CurrentBundle(path, bundle_id))
                count("bundles-taken")
                yield path
            return

    def _refuse(self, path: str, reason: str) -> None:
        name = f"{_REFUSED}{xxhash.xxh3_64_hexdigest(path.encode())}.json"
        _write(self._stream, name, RefusedBundle(path, reason))
        count("bundles-refused")


def read_current(stream: Stream) -> CurrentBundle:
    """Returns the bundle that has passed last."""
    found = read_json(storage.join(stream.run.work_folder, _CURRENT), CurrentBundle)
    return found or CurrentBundle(stream.bundle.path, stream.bundle.bundle_id)


def refused_bundles(folder: str) -> list[RefusedBundle]:
    """Returns those that a stream has refused, by its work folder."""
    found = (read_json(path, RefusedBundle) for path in storage.list_named(folder, _REFUSED) if path.endswith(".json"))
    return [bundle for bundle in found if bundle]


class BundleInUse:
    """What a worker encodes with, looked up again every two seconds.

    Args:
        stream: Whose bundle it is.
        clock: Seconds; injected in tests.
    """

    def __init__(self, stream: Stream, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._bundle = stream.bundle
        self._looked: float | None = None

    def get(self) -> ScoringBundle:
        """Returns it."""
        watched, now = self._stream.bundle_watch is not None, self._clock()
        if watched and (self._looked is None or now - self._looked >= _LOOK_SECS):
            self._looked = now
            current = read_current(self._stream)
            self._bundle = replace(self._stream.bundle, path=current.path, bundle_id=current.bundle_id)
        return self._bundle


def _write(stream: Stream, name: str, note: CurrentBundle | RefusedBundle) -> None:
    storage.write_atomic(storage.join(stream.run.work_folder, name), to_json(note))


def _candidates(pattern: str) -> list[str]:
    """Returns the folders under a pattern that hold a manifest, sorted."""
    found = storage.match(storage.join(pattern, BUNDLE_MANIFEST))
    return [path.removesuffix(f"/{BUNDLE_MANIFEST}") for path, _ in found]


def _content_of(path: str) -> str:
    return xxhash.xxh3_64_hexdigest(json.dumps(storage.match(storage.join(path, "*"))).encode())


def _judge_elsewhere(stream: Stream, path: str) -> str:
    """Judges in a process of its own: whatever a bundle does there, no worker is near it.

    Raises:
        ValueError: Why it will not do.
    """
    asked = {
        "bundle": asdict(replace(stream.bundle, path=path)),
        "outputs": stream.run.outputs,
        "is_classes": stream.run.n_labels > 0,
    }
    command = [sys.executable, "-P", "-m", "saiten.pipelines.streaming.judge_bundle"]
    try:
        ended = subprocess.run(
            command, input=json.dumps(asked), capture_output=True, text=True, timeout=stream.deadline.secs, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"its judge took longer than {stream.deadline.secs:g} s") from error
    answer = json.loads(ended.stdout) if ended.returncode == 0 and ended.stdout else {}
    if "bundle_id" not in answer:
        raise ValueError(answer.get("reason") or f"its judge ended with {ended.returncode}")
    return str(answer["bundle_id"])
