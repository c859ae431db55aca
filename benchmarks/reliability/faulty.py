"""`saiten score` with a model that goes wrong on texts of `POISON_TOKENS` tokens or more: FAULT, then its arguments."""

import dataclasses
import sys
import time
from typing import Any

import numpy as np

from saiten.model.engines.engine import Engine
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray
from saiten.pipelines.steps.scoring_bundle import ScoringBundle

POISON_TOKENS = 40
FAULTS = ("raises", "too few", "too many", "NaN", "infinite", "wrong shape", "cannot load", "hangs")


@dataclasses.dataclass
class FaultyEngine:
    """An engine that goes wrong whenever a batch holds a long text; NaN and infinities hit that text alone."""

    engine: Engine
    fault: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def score(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        """Scores as the engine does, or wrongly."""
        scores = self.engine.score(token_ids, offsets)
        poisoned = np.diff(offsets) >= POISON_TOKENS
        if not poisoned.any():
            return scores
        if self.fault == "raises":
            raise RuntimeError("the model's own words")
        if self.fault == "hangs":
            time.sleep(3600)
        if self.fault in ("NaN", "infinite"):
            return np.where(poisoned[:, None], np.float32(np.nan if self.fault == "NaN" else np.inf), scores)
        return {"too few": scores[:-1], "too many": np.concatenate([scores, scores]), "wrong shape": scores.T}[
            self.fault
        ]


def main() -> int:
    """Puts the fault in and scores."""
    from saiten.pipelines.commands.main import main as score

    fault, load = sys.argv[1], ScoringBundle.load_engine

    def load_faulty(bundle: ScoringBundle) -> Any:
        if fault == "cannot load":
            raise RuntimeError("the library's own words")
        return FaultyEngine(load(bundle), fault)

    ScoringBundle.load_engine = load_faulty  # type: ignore[method-assign, assignment]
    return score(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
