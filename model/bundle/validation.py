"""Proves a bundle anew: everything that `train` and `bundle` proved when they wrote it."""

from collections.abc import Iterator
from dataclasses import dataclass

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.golden import ids_of
from saiten.model.bundle.invariance import prove_invariance, random_texts
from saiten.model.bundle.packed_proof import prove_packed
from saiten.model.bundle.replay import replay_ids, replay_scores
from saiten.model.counted import counted
from saiten.model.engines.keras_engine import KerasEngine, load_keras_engine
from saiten.model.engines.packed.packed_file import load_packed
from saiten.model.engines.packing.packer import NotCoveredError
from saiten.model.errors import BundleError
from saiten.model.keras_models.drawn_weights import refuse_reading
from saiten.model.keras_models.graph import graph_of
from saiten.model.keras_models.judge import refuse_unserved
from saiten.model.keras_models.layers import model_vocabulary_size, refuse_misfit
from saiten.model.text.witness import prove_segmenter


@dataclass(frozen=True)
class Held:
    """One thing that held.

    Attributes:
        what: What was looked at.
        figure: What came out, in a few words.
    """

    what: str
    figure: str


def validate_bundle(bundle: StoredBundle) -> Iterator[Held]:
    """Yields what holds, one by one; sizes, hashes and versions were checked by `read_bundle`.

    Raises:
        BundleError: The first thing that does not hold.
    """
    yield Held("files", f"{counted(len(bundle.manifest.files), 'file')}, sizes and hashes as in the manifest")
    bundle.check_dictionary()
    yield Held("dictionary", f"{counted(len(bundle.manifest.encoder.dictionary_files), 'file')} as in the manifest")
    encoder = bundle.encoder()
    replay_ids(bundle, encoder)
    records = bundle.golden()
    yield Held("golden texts", f"the {len(records)} sample texts of the bundle give the tokens and ids of its making")
    yield Held("segmenter", prove_segmenter(encoder.tokenizer, [record.text for record in records]))
    yield Held("reference", "distributions on the training data" if bundle.reference() else "none")
    engine = load_keras_engine(bundle.path / "model.keras", trust=bundle.trusted)
    refuse_misfit(engine.model, len(encoder.vocabulary), bundle.outputs)
    refuse_unserved(graph_of(engine.model))
    refuse_reading(engine.model)
    yield Held("mask", "padding is not read, whatever the weights of its layers")
    yield Held(
        "keras engine",
        f"the golden texts' scores are within {_shown(replay_scores(bundle, engine))} of those of its making",
    )
    yield _invariance(bundle, engine)
    if bundle.has_packed:
        yield _packed(bundle, engine)
    else:
        yield Held("packed engine", f"not in the bundle: {bundle.why_not_packed}")


def _invariance(bundle: StoredBundle, engine: KerasEngine) -> Held:
    golden = ids_of([record for record in bundle.golden() if record.token_ids])
    length = bundle.manifest.encoder.max_sequence_length
    random = random_texts(model_vocabulary_size(engine.model), longest=length)
    proofs = [
        prove_invariance(engine.score_matrix, *texts, exact=lambda: engine.exact().score_matrix)
        for texts in (golden, random)
    ]
    largest = max(proof.largest_difference for proof in proofs)
    texts = sum(proof.texts for proof in proofs)
    widths = ", ".join(str(width) for width in proofs[-1].sequence_lengths)
    return Held("padding", f"{counted(texts, 'text')}, padded before and behind to {widths}: within {_shown(largest)}")


def _packed(bundle: StoredBundle, engine: KerasEngine) -> Held:
    length = bundle.manifest.encoder.max_sequence_length
    try:
        proof = prove_packed(load_packed(bundle.path / "packed.npz"), engine, bundle.golden(), length, seed=1)
    except NotCoveredError as error:
        raise BundleError(f"{bundle.path}: packed.npz is not model.keras. {error} Make the bundle anew.") from error
    found, own = proof["largest_difference"], proof["largest_difference_of_keras"]
    return Held(
        "packed engine",
        f"{counted(proof['texts'], 'text')}: {_shown(found)} from the model in double precision, Keras {_shown(own)}",
    )


def _shown(difference: float) -> str:
    return f"{difference:.1e}" if difference else "0"
