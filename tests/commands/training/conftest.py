"""A bundle whose classes labelled records have, and others."""

from typing import Any

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.writer import write_bundle
from saiten.model.text.encoder import Encoder
from tests.conftest import SENTENCES


@pytest.fixture(scope="module")
def class_bundle(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> StoredBundle:
    """A bundle of three classes."""
    from keras import layers

    from tests.helpers.networks import build_model

    head = layers.Dense(3, activation="softmax")
    model = build_model(layers.LSTM(8), head, vocabulary_size=len(encoder.vocabulary))
    path = tmp_path_factory.mktemp("classes") / "bundle"
    names = ["bad", "good", "5"]
    settings: dict[str, Any] = {"training": {}, "reference": {}, "task": "classes", "golden_texts": SENTENCES}
    return write_bundle(path, model=model, encoder=encoder, outputs=names, **settings)
