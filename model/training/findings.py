"""What a training should tell the person: what the network read of the held-out texts, and what could be better."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from saiten.model.counted import counted
from saiten.model.evaluation.baseline import compare_with_baseline, score_by_baseline
from saiten.model.text.ragged import FloatArray
from saiten.model.text.segmented import tokens_of
from saiten.model.text.vocabulary import Vocabulary
from saiten.model.training.config import TrainingConfig
from saiten.model.training.corpus import EncodedCorpus, SegmentedCorpus
from saiten.model.training.held_out import Split
from saiten.model.training.targets import Targets

_COMMONEST = 10
# With fewer texts, or above these shares, something is worth a word.
_FEW_TEXTS, _HIGH_OOV, _MUCH_TRUNCATED = 1_000, 0.1, 0.1


def describe_corpus(corpus: SegmentedCorpus, split: Split, encoded: EncodedCorpus) -> dict[str, Any]:
    """Counts the texts, by what they are for."""
    return {
        "texts": len(corpus.labels),
        "used": len(encoded.targets),
        "held_out": int(encoded.held_out.sum()),
        "held_out_by": split.how,
        "skipped": {**corpus.skipped, **split.left_out},
        "missing_labels": int(np.isnan(corpus.labels).sum()),
        "tokens": int(encoded.n_tokens.sum(dtype=np.int64)),
    }


def describe_coverage(
    corpus: SegmentedCorpus, encoded: EncodedCorpus, vocabulary: Vocabulary, config: TrainingConfig
) -> dict[str, Any]:
    """Says of the held-out texts, or without any of all, how much of them the network reads.

    Returns:
        JSON-able: the share of the tokens that are in the `vocabulary`, the share of the texts that are `truncated`,
        and the commonest OOV words with the number of their texts, `oov_words`.
    """
    chosen = encoded.held_out if encoded.held_out.any() else np.ones_like(encoded.held_out)
    n_tokens, n_oov = encoded.n_tokens[chosen], encoded.n_oov[chosen]
    words: Counter[str] = Counter()
    for line in corpus.lines(corpus.mask(encoded.rows[chosen])):
        words.update(word for word in set(tokens_of(line)) if word not in vocabulary.ids)
    commonest = sorted(words.items(), key=lambda item: (-item[1], item[0]))[:_COMMONEST]
    return {
        "vocabulary": 1 - float(n_oov.sum(dtype=np.int64) / n_tokens.sum(dtype=np.int64)),
        "truncated": float(np.mean(n_tokens > config.max_sequence_length)),
        "oov_words": [[word, n_texts] for word, n_texts in commonest],
    }


def compare_network(
    corpus: SegmentedCorpus, encoded: EncodedCorpus, targets: Targets, scores: FloatArray, config: TrainingConfig
) -> dict[str, Any]:
    """Compares the network's scores of all texts, [n, outputs], with the baseline's on the held-out ones."""
    held_out = encoded.held_out
    training, others = (corpus.lines(corpus.mask(encoded.rows[side])) for side in (~held_out, held_out))
    baseline = score_by_baseline(
        training,
        others,
        encoded.targets[~held_out],
        targets.task,
        len(targets.outputs),
        balanced=config.class_weight is not None,
        seed=config.seed,
    )
    return compare_with_baseline(scores[held_out], baseline, encoded.targets[held_out], targets.task, targets.outputs)


def coverage_line(training: Mapping[str, Any]) -> str:
    """Says how much of the held-out texts the network reads, and which words it knows least."""
    coverage, whose = training["coverage"], "held-out" if training["data"]["held_out"] else "training"
    words = ", ".join(f"{word} ({n_texts:,})" for word, n_texts in coverage["oov_words"])
    return (
        f"{coverage['vocabulary']:.1%} of the {whose} texts' words are in the vocabulary, "
        f"{coverage['truncated']:.1%} of the texts are truncated"
        f"{f'; commonest OOV words (not in it): {words}' if words else ''}"
    )


def hints(training: Mapping[str, Any]) -> list[str]:
    """Returns what a person could do better, a sentence each, from what the manifest says of a training."""
    data, settings, coverage = training["data"], training["settings"], training["coverage"]
    epochs, found = training["epochs"], []
    n_texts = data["used"] - data["held_out"]
    if n_texts < _FEW_TEXTS:
        found.append(
            f"The network was trained on {counted(n_texts, 'text')} only; more labelled texts would help most."
        )
    if data["held_out"] and len(epochs) == settings["epochs"] and epochs[-1]["is_best"]:
        found.append(
            f"The held-out loss still fell in epoch {len(epochs)}, the last that --epochs={len(epochs)} allows: give "
            "more, or leave it out, and training ends when the loss no longer falls."
        )
    if 1 - coverage["vocabulary"] > _HIGH_OOV:
        found.append(
            f"{1 - coverage['vocabulary']:.0%} of the held-out words are not in the vocabulary; more text, or a "
            "smaller --min_count, would teach them."
        )
    if coverage["truncated"] > _MUCH_TRUNCATED:
        found.append(
            f"{coverage['truncated']:.0%} of the held-out texts are longer than --max_sequence_length="
            f"{settings['max_sequence_length']}, and lose the rest."
        )
    return found


def baseline_line(comparison: Mapping[str, Any]) -> str:
    """Says how the linear baseline compares with the network; plainly, where it is better."""
    figure, network, baseline = (comparison[name] for name in ("figure", "network", "baseline"))
    if comparison["difference"] is None:
        return f"the linear baseline and the network have no {figure} to compare"
    low, high = comparison["difference"]
    figures = f"{figure} {baseline:.4f} against {network:.4f}, difference {low:+.4f} to {high:+.4f}"
    if low > 0:
        return f"the linear baseline is better than this network: {figures}; use it, or give the network more text"
    return f"linear baseline: {figures}{'; the network is better' if high < 0 else '; no clear difference'}"
