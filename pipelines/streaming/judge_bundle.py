"""Judges a bundle in a process of its own: `python -m saiten.pipelines.streaming.judge_bundle`.

Reads what is asked as JSON from standard input; answers with the bundle's id, or with the reason why it will not do.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines.steps.scoring_bundle import load_encoder, load_engine, opened_bundle


def judge_bundle(
    path: str, engine: str, outputs: list[str], *, is_classes: bool, trusted: bool, segmenter: str = "auto"
) -> str:
    """Reads a bundle whole, its dictionary too, and tries all that workers will do with it; returns its id.

    Raises:
        SaitenError: It is refused, or gives other outputs than the stream's windows have.
    """
    with opened_bundle(path, trusted=trusted) as bundle:
        bundle.check_dictionary()
        bundle.check_engine(engine)
        if list(bundle.outputs) != outputs:
            raise UsageError(
                f"It gives {', '.join(bundle.outputs)}, and the stream's windows have {', '.join(outputs)}."
            )
        if is_classes and bundle.manifest.task != "classes":
            raise UsageError("It gives no exclusive classes, and the stream's windows have a label.")
        load_encoder(bundle, segmenter)
        load_engine(bundle, engine)
        return bundle.bundle_id


def main() -> None:
    """Answers on standard output."""
    asked: Mapping[str, Any] = json.load(sys.stdin)
    bundle = asked["bundle"]
    try:
        found = judge_bundle(
            bundle["path"],
            bundle["engine"],
            asked["outputs"],
            is_classes=asked["is_classes"],
            trusted=bundle["trusted"],
            segmenter=bundle["segmenter"],
        )
        answer = {"bundle_id": found}
    except (SaitenError, OSError) as error:
        answer = {"reason": str(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
