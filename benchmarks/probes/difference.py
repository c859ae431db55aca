"""How far the scores of the two engines are apart over a whole corpus.

python -m benchmarks.probes.difference BUNDLE CORPUS
"""

import json
import pathlib
import sys

import numpy as np

from saiten.model.bundle.bundle import read_bundle
from saiten.pipelines.quiet import quiet_libraries
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from saiten.pipelines.steps.encode import encode_block
from saiten.pipelines.steps.infer import score_block


def measure(bundle_path: pathlib.Path, corpus: pathlib.Path) -> dict[str, object]:
    """Returns the largest difference of a score and the largest score, both absolute, and how many were compared."""
    bundle = read_bundle(bundle_path)
    encoder, packed, keras = bundle.encoder(), bundle.engine("packed"), bundle.engine("keras")
    difference = largest_score = 0.0
    compared = 0
    for block in iter_blocks(plan_work(str(corpus), ReadOptions(input_format="text"))):
        encoded = encode_block(block, encoder)
        ours, theirs = score_block(encoded, packed).scores, score_block(encoded, keras).scores
        difference = max(difference, float(np.abs(ours - theirs).max(initial=0)))
        largest_score = max(largest_score, float(np.abs(theirs).max(initial=0)))
        compared += ours.size
    return {"largest_difference": difference, "largest_score": largest_score, "scores": compared}


if __name__ == "__main__":
    quiet_libraries()
    print(json.dumps(measure(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))))
