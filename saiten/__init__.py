"""Saiten scores Japanese text in bulk.

    import saiten

    bundle = saiten.load("bundles/reviews")     a model with its tokenizer, in this process
    bundle.score(["とても美味しい。"])              float32 [texts, outputs]
    saiten.score_files(input=…, bundle=…, output=…)    files of any size to a run
    saiten.read_scores("runs/june")             a run as a pyarrow.Table
    saiten.ScoreTexts(bundle=…)                 a PTransform for Beam pipelines

What `__all__` names is public; all else may change. Nothing heavy is imported before it is used.
"""

import importlib

# Type checkers know the name; `typing` is not imported, since `python -m` still looks for it where the person stands.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from saiten.model.bundle.explain import ExplainedToken, Explanation
    from saiten.model.errors import (
        BundleError,
        CountMismatchError,
        DamagedFileError,
        RecordError,
        SaitenError,
        TooManyDeadLettersError,
        UsageError,
    )
    from saiten.pipelines.library.bundle import Bundle, load
    from saiten.pipelines.library.score_files import score_files
    from saiten.pipelines.library.score_texts import ScoreTexts, TextScore
    from saiten.pipelines.run.results import read_dead_letters, read_scores
    from saiten.pipelines.run.run_manifest import RunManifest

__all__ = [
    "Bundle",
    "BundleError",
    "CountMismatchError",
    "DamagedFileError",
    "ExplainedToken",
    "Explanation",
    "RecordError",
    "RunManifest",
    "SaitenError",
    "ScoreTexts",
    "TextScore",
    "TooManyDeadLettersError",
    "UsageError",
    "load",
    "read_dead_letters",
    "read_scores",
    "score_files",
]

if not TYPE_CHECKING:  # a type checker is to find a name that is not there
    _MODULES = {
        "saiten.model.bundle.explain": ("ExplainedToken", "Explanation"),
        "saiten.model.errors": tuple(name for name in __all__ if name.endswith("Error")),
        "saiten.pipelines.library.bundle": ("Bundle", "load"),
        "saiten.pipelines.library.score_files": ("score_files",),
        "saiten.pipelines.library.score_texts": ("ScoreTexts", "TextScore"),
        "saiten.pipelines.run.results": ("read_dead_letters", "read_scores"),
        "saiten.pipelines.run.run_manifest": ("RunManifest",),
    }

    def __getattr__(name: str) -> object:
        for module, names in _MODULES.items():
            if name in names:
                found = globals()[name] = getattr(importlib.import_module(module), name)
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
