"""One failing record costs one dead letter, and its neighbours nothing."""

import numpy as np
import pytest

from saiten.model.text.encoder import EncodedTexts
from saiten.pipelines.records import EncodedBlock
from saiten.pipelines.steps.infer import score_block
from tests.helpers.fakes import POISON_ID, FakeEngine, FaultyEngine, make_block


def encoded_block(sequences: list[list[int]]) -> EncodedBlock:
    lengths = [len(sequence) for sequence in sequences]
    token_ids = np.array([token_id for sequence in sequences for token_id in sequence], np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    n_tokens = np.array(lengths, np.int32)
    encoded = EncodedTexts(token_ids, offsets, n_tokens, np.zeros_like(n_tokens), n_tokens > 3)
    return EncodedBlock(make_block([f"文{i}" for i in range(len(sequences))]), encoded)


def test_every_row_gets_the_scores_of_its_own_ids() -> None:
    scored = score_block(encoded_block([[2, 3], [4], [], [5, 6, 7, 8]]), FakeEngine())
    assert scored.scores.tolist() == [[5, 2], [4, 1], [0, 0], [26, 4]]
    assert scored.is_empty.tolist() == [False, False, True, False]
    assert scored.n_tokens.tolist() == [2, 1, 0, 4]
    assert scored.truncated.tolist() == [False, False, False, True]
    assert scored.ids == ["a.txt:0", "a.txt:5", "a.txt:10", "a.txt:15"]


def test_texts_without_tokens_never_reach_the_model() -> None:
    engine = FakeEngine()
    scored = score_block(encoded_block([[], [], []]), engine)
    assert engine.batches == []
    assert scored.is_empty.all()
    assert scored.dead_letters == ()


def test_a_block_without_records_is_scored_to_nothing() -> None:
    scored = score_block(encoded_block([]), FakeEngine())
    assert scored.scores.shape == (0, 2)
    assert scored.is_last


@pytest.mark.parametrize("fault", ["raise", "too_few", "too_many", "wrong_shape", "transposed", "nan", "infinite"])
@pytest.mark.parametrize("poisoned", [[0], [6], [3], [2, 3], [0, 6], list(range(7))])
def test_a_poisoned_record_is_one_dead_letter_and_its_neighbours_keep_their_scores(
    fault: str, poisoned: list[int]
) -> None:
    sequences = [[i + 2] * (i % 3 + 1) for i in range(7)]
    clean = score_block(encoded_block(sequences), FakeEngine())
    for i in poisoned:
        sequences[i] = [POISON_ID]
    scored = score_block(encoded_block(sequences), FaultyEngine(fault))
    alive = [i for i in range(7) if i not in poisoned]
    assert [letter.position for letter in scored.dead_letters] == [clean.positions[i] for i in poisoned]
    code = "NOT_FINITE" if fault in ("nan", "infinite") else "MODEL_ERROR"
    assert {(letter.stage, letter.code) for letter in scored.dead_letters} == {("infer", code)}
    assert [letter.raw for letter in scored.dead_letters] == [f"文{i}".encode() for i in poisoned]
    np.testing.assert_array_equal(scored.scores, clean.scores[alive])
    assert scored.ids == [clean.ids[i] for i in alive]


def test_what_a_model_says_of_a_record_stays_out_of_the_message() -> None:
    scored = score_block(encoded_block([[POISON_ID]]), FaultyEngine("raise"))
    assert scored.dead_letters[0].message == "the model raised RuntimeError"
