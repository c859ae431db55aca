"""Writes the tables of `docs/your-own-model.md` from what comes of each thing that people bring.

.venv/bin/python -m tests.people.table
"""

import json
import pathlib
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from tests.people.models.networks import NETWORKS
from tests.people.refused import INDICES, MODELS, sound
from tests.people.tried import bundled, model_of, outcome, predicted
from tests.people.ways import PADDINGS, WAYS

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs" / "your-own-model.md"
OLDER = ROOT / "tests" / "keras_models" / "older_files"
_HALF_PRECISION = 1e-3
_TABLE = re.compile(r"(<!-- tried -->\n).*?(<!-- end -->)", re.DOTALL)

Row = tuple[str, ...]


def networks(folder: pathlib.Path) -> Iterator[Row]:
    """Yields each network, with one way of padding and one Tokenizer after the other."""
    for i, (title, build) in enumerate(NETWORKS.items()):
        way, padding = WAYS[i % len(WAYS)], PADDINGS[i % len(PADDINGS)]
        model = model_of(build, padding.maxlen if "unroll" in title else None)
        ending = "h5" if i % 4 == 3 else "keras"
        model.save(folder / f"model.{ending}")
        tolerance = _HALF_PRECISION if "float16" in title else 1e-5
        came_to = outcome(folder, folder / f"model.{ending}", predicted(model), way, padding, tolerance)
        yield title, f".{ending}, Keras 3", way.title, str(padding), came_to


def tokenizers(folder: pathlib.Path) -> Iterator[Row]:
    """Yields each way to ids, each with another padding, all with one network."""
    title = "LSTM, Dense softmax"
    model = model_of(NETWORKS[title], None)
    model.save(folder / "model.keras")
    for i, way in enumerate(WAYS):
        padding = PADDINGS[(i + 3) % len(PADDINGS)]
        came_to = outcome(folder, folder / "model.keras", predicted(model), way, padding)
        yield title, ".keras, Keras 3", way.title, str(padding), came_to


def older_files(folder: pathlib.Path) -> Iterator[Row]:
    """Yields each file of Keras 2; what its `predict` gave lies beside it, so that no older Keras is needed here."""
    titles = {
        "lstm": "LSTM, Dense softmax",
        "gru": "SpatialDropout1D, GRU, BatchNormalization",
        "func": "Bidirectional LSTM with hard_sigmoid, GRU beside an average",
        "nested": "models within the model",
        "shared": "layers that the model and models within share",
        "functions": "masks, attention and maxima by tf.not_equal, tf.where, tf.nn.softmax, tf.reduce_sum",
    }
    ids, words = np.load(OLDER / "ids.npy").astype(np.int32), folder / "words.json"
    words.write_text(json.dumps({chr(ord("あ") + i): i for i in range(1, 60)}), encoding="utf-8")
    for ending in ("h5", "keras"):
        for name, title in titles.items():
            if (name, ending) == ("shared", "h5"):  # which Keras 2 writes so that nobody can read it
                continue
            bundle = bundled(folder / "bundle", OLDER / f"{name}.{ending}", words, ("--no-lower", "--filters=none"))
            for engine in ("packed", "keras"):
                found = bundle.engine(engine).score(ids[ids > 0], np.append(0, np.cumsum((ids > 0).sum(axis=1))))
                np.testing.assert_allclose(found, np.load(OLDER / f"{name}.npy"), atol=1e-6)
            yield title, f".{ending}, Keras 2", "ids", f"pre, pre, {ids.shape[1]}", bundle.engine_name()


def refused(folder: pathlib.Path) -> Iterator[Row]:
    """Yields what is refused, with the sentence that is said of it."""

    def unknown(matrix: Any) -> Any:
        return np.full((len(matrix), 1), np.nan)

    for title, make in MODELS.items():
        keras.utils.clear_session(free_memory=False)  # names of layers are counted, and the sentences name them
        yield title, outcome(folder, make(folder), unknown, WAYS[0], PADDINGS[0])
    file = sound(folder)
    for way in INDICES:
        yield way.title, outcome(folder, file, unknown, way, PADDINGS[0])


def tables() -> list[str]:
    """Returns the lines of the two tables: what is scored, and by which engine; what is refused, and what is said."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = pathlib.Path(name)
        scored = [*networks(folder), *tokenizers(folder), *older_files(folder)]
        said = [(title, sentence.replace(f"{folder}/", "")) for title, sentence in refused(folder)]
    return [
        _lines(("network", "file", "words", "padding, truncating, length", "engine"), scored),
        _lines(("what is brought", "what is said"), said),
    ]


def _lines(head: Row, rows: Sequence[Row]) -> str:
    shown = [[cell.replace("|", "\\|").replace("<", "&lt;") for cell in row] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *shown))


def page() -> str:
    """Returns the page with its tables made anew."""
    made = iter(tables())
    return _TABLE.sub(lambda found: found[1] + next(made) + found[2], PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
