"""Tries a person's model, words and flags as `saiten bundle` does, against `model.predict` on their matrix."""

import argparse
import json
import pathlib
import shutil
from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.model.bundle.invariance import prove_invariance, random_texts
from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.engines.packing.pack_model import pack_model
from saiten.model.engines.packing.packer import NotCoveredError
from saiten.model.errors import SaitenError
from saiten.model.keras_models.blame import say_what_is_to_blame
from saiten.model.keras_models.drawn_weights import refuse_reading
from saiten.model.keras_models.model_file import read_model_file
from saiten.pipelines.commands import bundle as bundle_command
from tests.helpers.networks import with_drawn_weights
from tests.people.models.networks import Build
from tests.people.ways import STOP_WORDS, UNSEEN, Padding, Way

VOCABULARY_SIZE, WIDTH = 60, 5


def model_of(build: Build, width: int | None) -> Any:
    """Returns a model over an Embedding of ids from 0 to 59, with drawn weights."""
    ids = keras.Input((width,), dtype="int32")
    words = keras.layers.Embedding(VOCABULARY_SIZE, WIDTH, mask_zero=True)(ids)
    model = with_drawn_weights(keras.Model(ids, build(ids, words)))
    for layer in model.layers:
        if layer.name == "vectors":  # the row of the padding, as people's matrices have it
            (rows,) = layer.get_weights()
            layer.set_weights([np.vstack([np.zeros((1, rows.shape[1]), np.float32), rows[1:]])])
    return model


def outcome(
    folder: pathlib.Path, file: pathlib.Path, expected: Any, way: Way, padding: Padding, tolerance: float = 1e-5
) -> str:
    """Returns ``packed`` or ``keras``, the engine that the bundle has, or the sentence of refusal.

    Args:
        folder: For what is written.
        file: The model's.
        expected: From a padded matrix to scores, as `model.predict`.
        way: How texts became ids.
        padding: How ids became a matrix.
        tolerance: Of a score.

    Raises:
        AssertionError: Scores differ.
    """
    kept, ids_of = way.learn()
    words = folder / ("words.pkl" if isinstance(kept, bytes) else "words.json")
    words.write_bytes(kept if isinstance(kept, bytes) else json.dumps(kept, ensure_ascii=False).encode())
    (folder / "stop_words.txt").write_text("\n".join(STOP_WORDS), encoding="utf-8")
    flags = [flag.replace("=stop_words.txt", f"={folder / 'stop_words.txt'}") for flag in way.flags]
    flags = [f"--max_sequence_length={padding.maxlen}", f"--truncating={padding.truncating}", *flags]
    try:
        bundle = bundled(folder / "bundle", file, words, flags)
    except SaitenError as error:
        return str(error)
    encoded, ids = bundle.encoder().encode(UNSEEN), ids_of(UNSEEN)
    has_ids = np.array([bool(row) for row in ids])
    np.testing.assert_array_equal(encoded.lengths > 0, has_ids)
    wanted = expected(padding.matrix(ids))[has_ids]
    for name in ("packed", "keras") if bundle.has_packed else ("keras",):
        found = bundle.engine(name).score(encoded.token_ids, encoded.offsets)[has_ids]
        np.testing.assert_allclose(found, wanted, atol=tolerance)
    return bundle.engine_name()


def bundled(folder: pathlib.Path, file: pathlib.Path, words: pathlib.Path, flags: Sequence[str]) -> StoredBundle:
    """Runs `saiten bundle`, with as many outputs as the model has where no flag names them.

    Raises:
        SaitenError: The command refuses something.
    """
    shutil.rmtree(folder, ignore_errors=True)
    given = [f"--keras_model={file}", f"--word_index={words}", f"--bundle={folder}"]
    if not any(flag.startswith("--outputs=") for flag in flags):
        model, _ = read_model_file(file)
        n_scores = sum(output.shape[-1] or 0 for output in model.outputs)
        given.append(f"--outputs={','.join(f'score{i}' for i in range(n_scores))}")
    parser = argparse.ArgumentParser()
    bundle_command.add_arguments(parser)
    bundle_command.run(parser.parse_args([*given, *flags]))
    return read_bundle(folder)


def engine_of(model: Any) -> tuple[Any, str]:
    """Returns the packed engine where it covers the model's layers, else Keras'; and its name."""
    try:
        return pack_model(model), "packed"
    except NotCoveredError:
        return KerasEngine(model), "keras"


def prove(model: Any) -> None:
    """Proves that the model does not read its padding, as a bundle's making does."""
    refuse_reading(model)
    engine = KerasEngine(model)
    texts = random_texts(engine.vocabulary_size, longest=12)
    prove_invariance(engine.score_matrix, *texts, partial(say_what_is_to_blame, model))


def predicted(model: Any) -> Any:
    """Returns `model.predict`, run step by step: to compile every model would take minutes."""
    model.run_eagerly = True

    def predict(matrix: Any) -> Any:
        heads = model.predict(matrix, batch_size=len(matrix), verbose=0)
        return np.concatenate(keras.tree.flatten(heads), axis=1)

    return predict
