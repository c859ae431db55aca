"""What is expensive happens once a process, however many ranges and blocks there are."""

import hashlib
import pathlib
from collections import Counter
from typing import Any

import numpy as np
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.engines.packed.program import PackedEngine
from saiten.model.text import dictionary
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray
from saiten.model.text.tokenizer import Tokenizer
from saiten.pipelines.reading import plan
from saiten.pipelines.steps.infer import HANDLERS
from tests.helpers.scoring import rows, score

LINES = 3_000


def test_one_tagger_one_model_and_no_padding(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many ranges in one process: one Tagger a DoFn, one engine, and as many ids computed as there are tokens."""
    made: Counter[str] = Counter()
    scored_ids: list[int] = []
    make_tokenizer, make_engine, compute = Tokenizer.__init__, PackedEngine.__init__, PackedEngine.score

    def tokenizer(self: Tokenizer, *arguments: Any) -> None:
        made["tagger"] += 1  # a Tokenizer makes its Tagger when it is made
        make_tokenizer(self, *arguments)

    def engine(self: PackedEngine, *arguments: Any) -> None:
        made["engine"] += 1
        make_engine(self, *arguments)

    def counted(self: PackedEngine, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        scored_ids.append(len(token_ids))
        return compute(self, token_ids, offsets)

    monkeypatch.setattr(Tokenizer, "__init__", tokenizer)
    monkeypatch.setattr(PackedEngine, "__init__", engine)
    monkeypatch.setattr(PackedEngine, "score", counted)
    monkeypatch.setattr(plan, "_MIN_RANGE_BYTES", 8 * 1024)
    monkeypatch.setattr(HANDLERS["packed"], "block_bytes", 8 * 1024)
    source = tmp_path / "many.txt"
    source.write_text("とても美味しいラーメンでした。\n" * LINES, encoding="utf-8")
    assert score(tiny_bundle, source, tmp_path / "out", "--workers=1") == 0

    n_parts = len(list((tmp_path / "out" / "scores").iterdir()))
    assert n_parts > 10, "one range would prove nothing"
    assert made == {"tagger": 1, "engine": 1}
    n_tokens = np.array([row["n_tokens"] for row in rows(tmp_path / "out")])
    golden_ids, *batches = scored_ids
    assert sum(batches) == n_tokens.sum() == 6 * LINES
    assert golden_ids > 0, "golden records come first"


def test_dictionary_and_bundle_are_compared_once_a_process(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the launcher, and again by every step that tokenizes: 250 MB are read once all the same."""
    hashed: Counter[str] = Counter()
    digest = hashlib.file_digest

    def counted(file: Any, name: str) -> Any:
        hashed[pathlib.Path(file.name).name] += 1
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    dictionary._sha256_once.cache_clear()  # other tests have filled it
    assert score(tiny_bundle, reviews, tmp_path / "out", "--workers=1") == 0
    of_bundle = {name: hashed.pop(name) for name in tiny_bundle.manifest.files}
    assert hashed == dict.fromkeys(("sys.dic", "matrix.bin", "char.bin", "unk.dic", "dicrc"), 1)
    assert set(of_bundle.values()) <= {1, 2}, "two threads may begin with one at the same time"
