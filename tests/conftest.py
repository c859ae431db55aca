"""What many tests share: a tokenizer, a small bundle. TensorFlow is imported only where a bundle is made."""

import fcntl
import os
import pathlib
from typing import Any

import pytest

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.model.bundle.writer import write_bundle
from saiten.model.text.encoder import Encoder
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.text.vocabulary import OOV_ID, OOV_WORD, PAD_WORD, Vocabulary
from saiten.pipelines.quiet import quiet_libraries

if "PYTEST_XDIST_WORKER" in os.environ:  # a process a core: more threads would only be in each other's way
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
quiet_libraries()

SENTENCES = (
    "とても美味しいラーメンでした。",
    "料理は普通でしたが、店員さんが親切でした。",
    "駅から遠くて、値段も高い。",
    "もう行きません！",
    "部屋がきれいで、景色も良かったです。",
)


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What has to run in one process, one after the other, begins first: it takes longest.

    So that each kernel is compiled once, all tests of the engines do.
    """
    for item in items:
        if item.path.parent.name == "engines":
            item.add_marker(pytest.mark.xdist_group("engines"))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


def shared_folder(factory: pytest.TempPathFactory) -> pathlib.Path:
    """Returns a folder that all processes of this run of the tests have in common."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer(TokenizerConfig())


@pytest.fixture(scope="session")
def encoder(tokenizer: Tokenizer) -> Encoder:
    words = sorted({word for sentence in SENTENCES for word in tokenizer.tokenize(sentence)})
    return Encoder(tokenizer, Vocabulary([PAD_WORD, OOV_WORD, *words], OOV_ID), 400, "pre")


@pytest.fixture(scope="session")
def tiny_model(encoder: Encoder) -> Any:
    """A model for the encoder's ids, with two outputs."""
    from keras import layers

    from tests.helpers.networks import build_model

    return build_model(layers.LSTM(8), layers.Dense(2), vocabulary_size=len(encoder.vocabulary))


@pytest.fixture(scope="session")
def tiny_bundle(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, request: pytest.FixtureRequest
) -> StoredBundle:
    """A whole bundle with both engines and the outputs `taste` and `service`. Copy it before you change it."""
    path = shared_folder(tmp_path_factory) / "tiny"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return read_bundle(path)
        return write_bundle(
            path,
            model=request.getfixturevalue("tiny_model"),
            encoder=encoder,
            outputs=["taste", "service"],
            golden_texts=SENTENCES,
            training={"seed": 0},
            reference={},
        )


@pytest.fixture(scope="session")
def class_bundle(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> StoredBundle:
    """A bundle whose outputs are the exclusive classes `food`, `inn` and `station`."""
    from keras import layers

    from tests.helpers.networks import build_model

    return write_bundle(
        tmp_path_factory.mktemp("classes") / "bundle",
        model=build_model(
            layers.LSTM(4), layers.Dense(3, activation="softmax"), vocabulary_size=len(encoder.vocabulary)
        ),
        encoder=encoder,
        outputs=["food", "inn", "station"],
        task="classes",
        golden_texts=SENTENCES,
        training={},
        reference={},
    )


@pytest.fixture
def bundle_copy(tiny_bundle: StoredBundle, tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the tiny bundle that a test may damage."""
    import shutil

    return pathlib.Path(shutil.copytree(tiny_bundle.path, tmp_path / "copy"))


@pytest.fixture
def reviews(tmp_path: pathlib.Path) -> pathlib.Path:
    """A text file of `tests.helpers.scoring.TEXTS`."""
    from tests.helpers.scoring import TEXTS

    path = tmp_path / "reviews.txt"
    path.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def unfinished(
    tiny_bundle: StoredBundle, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pathlib.Path, pathlib.Path]:
    """A file as `half_broken`, and the directory of a run over it that was not committed. Copy it to change it."""
    from tests.helpers.scoring import score, write_half_broken

    folder = tmp_path_factory.mktemp("unfinished")
    records = write_half_broken(folder)
    assert score(tiny_bundle, records, folder / "out", "--workers=1") == 4
    return records, folder / "out"


@pytest.fixture
def half_broken(tmp_path: pathlib.Path) -> pathlib.Path:
    """A JSONL file of one good record and one that is cut off."""
    from tests.helpers.scoring import write_half_broken

    return write_half_broken(tmp_path)


@pytest.fixture
def workplace(tiny_bundle: StoredBundle, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A folder with what the examples of documents use: `bundles/reviews`, `reviews/`, and the run `runs/june`."""
    import json
    import shutil

    from tests.helpers.scoring import score

    shutil.copytree(tiny_bundle.path, tmp_path / "bundles" / "reviews")
    (tmp_path / "reviews").mkdir()
    texts = ["とても美味しいラーメンでした。", "", "もう行きません！", "\ud83d"]
    lines = [json.dumps({"id": f"r{i}", "text": text, "body": text}) for i, text in enumerate(texts)]
    (tmp_path / "reviews" / "june.jsonl").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    flags = ("--max_dead_letter_rate=1", "--workers=1")
    assert score(tiny_bundle, tmp_path / "reviews", tmp_path / "runs" / "june", *flags) == 3
    return tmp_path
