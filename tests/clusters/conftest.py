"""The texts and the bundle that all checks share, and where a check says what it found; `lines` prints that."""

import pathlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest

from saiten.pipelines.run.results import read_scores
from tests.clusters import emulator, flink, prism
from tests.clusters.install import ROOT
from tests.clusters.jobs import score
from tests.clusters.processes import BUILD, choose_ports, end_on_signals

SAMPLE_RECORDS = 60_000
CORPORA = ROOT.parent / "shared" / "corpora"


def pytest_sessionstart() -> None:
    """Lets a session that is terminated leave nothing."""
    end_on_signals()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes what a check found, in numbers."""
    return lambda text: request.node.user_properties.append(("figure", text))


@pytest.fixture(scope="session")
def articles() -> pathlib.Path:
    """The livedoor news corpus, 7,367 articles; sample reviews where a machine lacks it."""
    folder, make = BUILD / "livedoor", [str(CORPORA / "prepare_livedoor.py")]
    corpus = folder / "news.jsonl"
    if not corpus.is_file() and not CORPORA.is_dir():
        print(f"this machine lacks the livedoor corpus ({CORPORA}): {SAMPLE_RECORDS:,} sample reviews stand in for it")
        folder = BUILD / "sample"
        corpus = folder / "train.jsonl"
        make = [str(ROOT / "scripts" / "make_sample.py"), f"--records={SAMPLE_RECORDS}", "--out"]
    if not corpus.is_file():
        subprocess.run([sys.executable, *make, str(folder)], check=True)
    return corpus


@pytest.fixture(scope="session")
def bundle(articles: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A bundle of random weights with words of the corpus: what a model has learnt changes nothing here."""
    return make_bundle(articles, tmp_path_factory.mktemp("bundle") / "bundle", seed=0)


@pytest.fixture(scope="session")
def other_bundle(articles: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Another one, with the same outputs."""
    return make_bundle(articles, tmp_path_factory.mktemp("other") / "bundle", seed=1)


def make_bundle(articles: pathlib.Path, path: pathlib.Path, *, seed: int) -> pathlib.Path:
    """Writes a bundle of random weights."""
    import orjson

    from saiten.pipelines.quiet import import_tensorflow

    import_tensorflow()
    from keras import layers

    from saiten.model.bundle.writer import write_bundle
    from saiten.model.text.encoder import Encoder
    from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
    from saiten.model.text.vocabulary import Vocabulary
    from tests.helpers.networks import build_model

    lines = articles.read_bytes().splitlines()[:200]
    texts, tokenizer = [orjson.loads(line)["text"] for line in lines], Tokenizer(TokenizerConfig())
    counts = Counter(token for text in texts for token in tokenizer.tokenize(text))
    vocabulary = Vocabulary.from_counts(counts, size=5_000)
    written = write_bundle(
        path,
        model=build_model(layers.LSTM(32), layers.Dense(9), vocabulary_size=len(vocabulary)),
        encoder=Encoder(tokenizer, vocabulary, 400, "pre"),
        outputs=[f"output{i}" for i in range(9)],
        golden_texts=[text[:400] for text in texts[:32]],
        training={"seed": seed},
        reference={},
    )
    return pathlib.Path(written.path)


@pytest.fixture(scope="session")
def local_run(articles: pathlib.Path, bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The corpus scored on this machine."""
    output = tmp_path_factory.mktemp("local") / "run"
    ended = score(articles, bundle, output, "--workers=2")
    assert ended.exit_code == 0, ended.said
    return output


@pytest.fixture(scope="session")
def local_scores(local_run: pathlib.Path) -> pa.Table:
    """The corpus's scores as this machine gives them, by id."""
    return read_scores(str(local_run)).sort_by("id")


@pytest.fixture(scope="session", autouse=True)
def nothing_left() -> Iterator[None]:
    """Begins without what a session that was killed has left, and leaves nothing, however this one ends."""
    _end_all()
    choose_ports()
    yield
    _end_all()


def _end_all() -> None:
    for engine in (flink, prism, emulator):
        engine.down()


@pytest.fixture
def whole_cluster() -> None:
    """Flink with two task managers; what earlier checks ended is started again."""
    flink.up()


@pytest.fixture(scope="session")
def prism_server() -> None:
    """Prism, with a pool of workers."""
    prism.up()


@pytest.fixture(params=["prism", "flink"])
def engine_flags(request: pytest.FixtureRequest) -> list[str]:
    """What sends a job to each of the two engines."""
    if request.param == "prism":
        request.getfixturevalue("prism_server")
        return prism.flags()
    request.getfixturevalue("whole_cluster")
    return flink.flags()
