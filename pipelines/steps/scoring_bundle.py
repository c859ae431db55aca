"""The bundle as the steps of a pipeline carry it: a path and what must be found there."""

import pathlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.model.bundle.bundle_files import MAX_BYTES, too_large
from saiten.model.bundle.replay import replay_ids, replay_scores
from saiten.model.engines.engine import Engine
from saiten.model.errors import BundleError
from saiten.model.text.encoder import Encoder
from saiten.pipelines import storage
from saiten.pipelines.quiet import import_tensorflow
from saiten.pipelines.steps.memory import release_compiler_pages

# Enough to notice a broken engine, few enough to cost a worker nothing.
_REPLAYED_SCORES = 8
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class ScoringBundle:
    """Where the bundle lies and which one it must be, so that every worker uses the launcher's.

    Attributes:
        path: Local, or on an object store.
        bundle_id: What the launcher found there.
        engine: ``packed`` or ``keras``.
        trusted: Let through layer classes that Saiten does not build.
        threads: TensorFlow's in each process; 0 leaves it to TensorFlow.
        segmenter: ``auto``, ``mecab`` or ``compiled``.
    """

    path: str
    bundle_id: str
    engine: str
    trusted: bool = False
    threads: int = 0
    segmenter: str = "auto"

    def load_encoder(self) -> Encoder:
        """Returns what the function `load_encoder` does, of the bundle that the run began with."""
        with self._opened() as bundle:
            return load_encoder(bundle, self.segmenter)

    def load_engine(self) -> Engine:
        """Returns what the function `load_engine` does, of the bundle that the run began with."""
        with self._opened() as bundle:
            return load_engine(bundle, self.engine, self.threads)

    @contextmanager
    def _opened(self) -> Iterator[StoredBundle]:
        with opened_bundle(self.path, trusted=self.trusted) as bundle:
            if bundle.bundle_id != self.bundle_id:
                raise BundleError(
                    f"The bundle at {self.path} is {bundle.bundle_id} on this worker, but the run began with "
                    f"{self.bundle_id}: every worker must see the same bundle."
                )
            yield bundle


def load_encoder(bundle: StoredBundle, segmenter: str = "auto") -> Encoder:
    """Returns the bundle's encoder after its dictionary was compared and all golden texts gave their ids.

    Raises:
        BundleError: A file, a token or an id differs.
    """
    encoder = bundle.encoder(segmenter)
    replay_ids(bundle, encoder)  # all of them, in 10 ms or so: a MeCab of another version shows here
    if encoder.tokenizer.compiled:
        release_compiler_pages()
    return encoder


def load_engine(bundle: StoredBundle, name: str, threads: int = 0) -> Engine:
    """Returns an engine, ``packed`` or ``keras``, after golden records gave the recorded scores.

    Raises:
        BundleError: A score differs, or the bundle has no such engine.
        UsageError: The keras engine is asked for and TensorFlow is not installed.
    """
    if name == "keras":
        import_tensorflow()
    engine = bundle.engine(name, threads=threads)
    replay_scores(bundle, engine, _REPLAYED_SCORES)
    if name == "packed":
        release_compiler_pages()
    return engine


@contextmanager
def opened_bundle(path: str, *, trusted: bool = False) -> Iterator[StoredBundle]:
    """Reads and checks a bundle, local or remote; a remote one is copied to this machine while the block runs.

    Raises:
        BundleError: There is none, or it is refused.
    """
    if not storage.is_remote(path):
        yield read_bundle(pathlib.Path(path), trust=trusted)
        return
    with tempfile.TemporaryDirectory(prefix="saiten-bundle-") as folder:
        _download(path, pathlib.Path(folder))
        yield read_bundle(pathlib.Path(folder), trust=trusted)


def _download(path: str, folder: pathlib.Path) -> None:
    try:
        files = storage.list_files(path)
    except OSError as error:
        raise BundleError(f"The bundle at {path} cannot be read: {error}.") from error
    if not files:
        raise BundleError(f"There is no bundle at {path}; saiten train or saiten bundle makes one, to be copied there.")
    for file in files:
        name = file.removeprefix(path.rstrip("/") + "/")
        if not name:  # consoles of object stores make an empty object that stands for the folder
            continue
        if "/" in name:
            raise BundleError(
                f"The bundle at {path} holds a folder, {name.split('/')[0]}: a bundle is flat, so give the one that "
                "holds manifest.json."
            )
        if name not in MAX_BYTES:
            raise BundleError(f"The bundle at {path} holds {name!r}, which is no file of a bundle; remove it.")
        with storage.open_read(file) as source, (folder / name).open("wb") as target:
            while chunk := source.read(_CHUNK_BYTES):
                target.write(chunk)
                if target.tell() > MAX_BYTES[name]:
                    raise too_large(file, name)
