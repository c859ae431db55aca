"""Where the time of scoring goes, stage by stage, in one process without Beam.

python -m benchmarks.probes.stages BUNDLE CORPUS
"""

import json
import pathlib
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from saiten.model.bundle.bundle import read_bundle
from saiten.model.bundle.replay import replay_scores
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from saiten.pipelines.records import EncodedBlock
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.owner import write_owner
from saiten.pipelines.steps.infer import score_block
from saiten.pipelines.steps.range_writer import RangeWriter


class Stopwatch:
    """Adds up seconds by stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what happens inside for a stage."""
        started = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - started


def measure(bundle_path: pathlib.Path, corpus: pathlib.Path) -> dict[str, object]:
    """Returns seconds by stage, and how many texts and tokens they were for."""
    bundle, watch = read_bundle(bundle_path), Stopwatch()
    encoder, engine = bundle.encoder(), bundle.engine()
    replay_scores(bundle, engine)  # the first call loads the machine code, which is the start's cost, not a stage's
    blocks = iter_blocks(plan_work(str(corpus), ReadOptions(input_format="text")))
    texts = tokens = 0
    with tempfile.TemporaryDirectory() as folder:
        run = Run("benchmark", folder, bundle.bundle_id, tuple(bundle.outputs), (), keep_raw=True, token="benchmark")
        write_owner(folder, run.token)
        writer = RangeWriter(run, 0)
        while True:
            with watch.stage("read"):
                block = next(blocks, None)
            if block is None:
                break
            with watch.stage("encode"):
                encoded, _ = encoder.encode_all(block.texts)
            with watch.stage("score"):
                scored = score_block(EncodedBlock(block, encoded), engine)
            with watch.stage("write"):
                writer.add(scored)
            texts, tokens = texts + len(block.texts), tokens + int(encoded.n_tokens.sum())
        with watch.stage("write"):
            writer.close()
    return {"seconds": dict(watch.seconds), "texts": texts, "tokens": tokens}


if __name__ == "__main__":
    print(json.dumps(measure(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))))
