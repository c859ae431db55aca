"""Epochs: the best one is kept, steps become smaller without gain, and training ends when nothing gets better."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from saiten.model.errors import UsageError
from saiten.model.text.ragged import offsets_of
from saiten.model.training.config import NetworkConfig, TrainingConfig
from saiten.model.training.corpus import EncodedCorpus
from saiten.model.training.networks.fit import Fitted, Trainer, score_parts
from saiten.model.training.networks.network import Network
from saiten.model.training.networks.parts_loss import PartsLoss
from saiten.model.training.watcher import EpochReport, SilentWatcher

N_WORDS = 12


def corpus_of(n: int = 60, held_out: int = 20) -> EncodedCorpus:
    """Texts of ids from 2 on; the target is whether a text has the id 5 in it."""
    random = np.random.default_rng(0)
    lengths = random.integers(1, 9, n)
    token_ids = random.integers(2, N_WORDS, lengths.sum()).astype(np.int32)
    offsets = offsets_of(lengths)
    targets = np.float32([[5 in token_ids[a:b]] for a, b in pairwise(offsets)])
    return EncodedCorpus(
        token_ids,
        offsets,
        targets,
        held_out=np.arange(n) >= n - held_out,
        n_tokens=lengths.astype(np.int32),
        n_oov=lengths * 0,
        rows=np.arange(n),
    )


def build(config: NetworkConfig | None = None) -> Network:
    embeddings = np.random.default_rng(1).normal(0, 0.3, (N_WORDS, 4)).astype(np.float32)
    return Network(config or NetworkConfig("lstm", 3, wide=True, n_pairs=50), embeddings, 1, ["a"] * N_WORDS)


def run(network: Network, corpus: EncodedCorpus, watcher: SilentWatcher | None = None, **settings: Any) -> Fitted:
    config = TrainingConfig(batch_size=8, learning_rate=0.01, **settings)
    return Trainer(network, corpus, PartsLoss("labels", "binary_crossentropy"), config).fit(watcher or SilentWatcher())


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[float]], None]:
    """Lets the held-out losses follow a script; the last one is that of the weights that are kept."""

    def follow(losses: Sequence[float]) -> None:
        rest: Iterator[float] = iter([*losses, losses[-1]])
        monkeypatch.setattr("saiten.model.training.networks.fit.choose_factors", lambda *_: (np.ones(2), next(rest)))

    return follow


def test_the_best_epoch_is_kept_and_training_ends_after_patience(script: Any) -> None:
    script([5.0, 3.0, 4.0, 3.0])
    network = build()
    after: list[Any] = []

    class Watcher(SilentWatcher):
        def end_epoch(self, report: EpochReport) -> None:
            after.append(network.trained.get_weights())

    reports = run(network, corpus_of(), Watcher(), patience=2).reports
    assert [(r.epoch, r.held_out_loss, r.is_best) for r in reports] == [
        (1, 5.0, True),
        (2, 3.0, True),
        (3, 4.0, False),
        (4, 3.0, False),
    ]
    kept = network.trained.get_weights()
    for weights, second in zip(kept, after[1], strict=True):
        np.testing.assert_array_equal(weights, second)
    assert any((weights != fourth).any() for weights, fourth in zip(kept, after[3], strict=True))


def test_a_better_epoch_within_patience_is_waited_for(script: Any) -> None:
    script([5.0, 6.0, 4.0, 7.0])
    assert [r.is_best for r in run(build(), corpus_of(), epochs=4, patience=2).reports] == [True, False, True, False]


def test_steps_become_smaller_after_an_epoch_without_gain(script: Any) -> None:
    script([3.0, 4.0, 2.0, 5.0])
    network = build()
    run(network, corpus_of(), epochs=4, learning_rate_factor=0.5)
    deep, wide = sorted(float(optimizer.learning_rate) for optimizer in network.trained.optimizer.optimizers)
    assert (deep, wide) == (pytest.approx(0.01 / 4), pytest.approx(0.1 / 4))


def test_the_last_epochs_learn_from_the_held_out_texts_too_and_the_logits_are_from_before() -> None:
    corpus, rare = corpus_of(), N_WORDS - 1
    is_rare = corpus.token_ids == rare
    held_out_tokens = np.repeat(corpus.held_out, np.diff(corpus.offsets))
    corpus.token_ids[is_rare & ~held_out_tokens] = 2
    plain, refit = build(), build()
    fitted, again = run(plain, corpus, epochs=2), run(refit, corpus, epochs=2, refit_epochs=3)
    assert (again.held_out.tolist(), again.factors.tolist()) == (fitted.held_out.tolist(), fitted.factors.tolist())
    assert [r.loss for r in again.reports] == [r.loss for r in fitted.reports]
    own, own_again = (network.trained.get_weights()[0][rare] for network in (plain, refit))
    assert (own == 0).all()
    assert (own_again != 0).all()
    steps = [float(optimizer.learning_rate) for optimizer in refit.trained.optimizer.optimizers]
    assert sorted(steps) == [pytest.approx(0.001), pytest.approx(0.01)]
    parts = score_parts(lambda ids: plain.trained(ids).numpy(), corpus, np.flatnonzero(corpus.held_out))
    np.testing.assert_allclose(fitted.held_out, np.tensordot(parts, fitted.factors, ((1,), (0,))), atol=1e-6)


def test_a_step_is_traced_once() -> None:
    """A second trace of the default network takes more than a second."""
    traces = []

    class CountedLoss(PartsLoss):
        def call(self, targets: Any, parts: Any) -> Any:
            traces.append(parts)
            return super().call(targets, parts)

    loss = CountedLoss("labels", "binary_crossentropy")
    Trainer(build(), corpus_of(), loss, TrainingConfig(batch_size=8, epochs=2, refit_epochs=1)).fit(SilentWatcher())
    assert len(traces) == 1


@pytest.mark.thorough
def test_without_held_out_texts_all_epochs_are_trained_and_the_last_is_kept() -> None:
    network, other = build(), build()
    fitted = run(network, corpus_of(held_out=0), epochs=3, patience=1)
    assert [(r.held_out_loss, r.is_best) for r in fitted.reports] == [(None, True)] * 3
    assert fitted.factors.tolist() == [0.5, 0.5]
    run(other, corpus_of(held_out=0), epochs=2, patience=1)
    assert any((a != b).any() for a, b in zip(network.trained.get_weights(), other.trained.get_weights(), strict=True))


def test_a_loss_that_is_not_finite_ends_training_with_the_remedy(script: Any) -> None:
    script([1.0, float("nan")])
    with pytest.raises(UsageError) as caught:
        run(build(), corpus_of(), epochs=3)
    assert str(caught.value).endswith(" in epoch 2; give a smaller --learning_rate than 0.01.")


@pytest.mark.thorough
def test_it_learns_and_the_same_seed_gives_the_same_bits() -> None:
    first, second = build(), build()
    fitted = run(first, corpus_of(), epochs=6)
    assert fitted.reports[-1].loss < 0.7 * fitted.reports[0].loss
    assert (fitted.factors >= 0).all()
    run(second, corpus_of(), epochs=6)
    for a, b in zip(first.trained.get_weights(), second.trained.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.thorough
def test_compiled_and_plain_training_come_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, compiled = build(), build()
    run(plain, corpus_of(), epochs=2)
    monkeypatch.setattr("saiten.model.training.networks.batches._COMPILATION", 1)
    run(compiled, corpus_of(), epochs=2)
    assert (plain.trained.jit_compile, compiled.trained.jit_compile) == (False, True)
    for a, b in zip(plain.trained.get_weights(), compiled.trained.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


@pytest.mark.thorough
def test_what_is_compiled_ahead_learns_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropout included, which draws from a state of its own; and the steps are not compiled a second time."""
    monkeypatch.setattr("saiten.model.training.networks.batches._COMPILATION", 1)
    config = TrainingConfig(batch_size=8, epochs=2, refit_epochs=1)
    loss, weights = PartsLoss("labels", "binary_crossentropy"), []
    for is_ahead in (False, True):
        network = build(NetworkConfig("lstm", 3, dropout=0.5, wide=True, n_pairs=50))
        trainer = Trainer(network, corpus_of(), loss, config)
        if is_ahead:
            before = network.trained.get_weights()
            trainer.compile()
            steps = network.trained.train_function
            for a, b in zip(before, network.trained.get_weights(), strict=True):
                np.testing.assert_array_equal(a, b)
        trainer.fit(SilentWatcher())
        weights.append(network.trained.get_weights())
    assert network.trained.train_function is steps
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_word_vectors_stay_as_they_are_unless_they_are_trained() -> None:
    for is_trained in (False, True):
        network = build(NetworkConfig("gru", 3, train_vectors=is_trained))
        before = network.trained.get_layer("embedding").get_weights()[0]
        run(network, corpus_of(), epochs=1)
        assert (network.trained.get_layer("embedding").get_weights()[0] != before).any() == is_trained


def test_parts_are_scored_in_the_order_of_the_rows() -> None:
    corpus = corpus_of()
    rows = np.array([7, 3, 59, 0])

    def ids_and_length(matrix: Any) -> Any:
        return np.stack([matrix[:, 0], (matrix > 0).sum(axis=1)], axis=1)[:, None].astype(np.float32)

    expected = [[corpus.token_ids[corpus.offsets[row]], corpus.n_tokens[row]] for row in rows]
    np.testing.assert_array_equal(score_parts(ids_and_length, corpus, rows)[:, 0], expected)
