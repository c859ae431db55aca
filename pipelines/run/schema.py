"""The columns of a run's files."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from saiten.model.errors import UsageError
from saiten.model.outputs import highest_outputs
from saiten.pipelines.records import DeadLetter, ScoredBlock

SCHEMA_VERSION = "1"

DEAD_LETTER_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("code", pa.string(), nullable=False),
        pa.field("message", pa.string(), nullable=False),
        pa.field("raw", pa.binary()),
        pa.field("raw_bytes", pa.int64(), nullable=False),
    ]
)


def scores_schema(outputs: Sequence[str], kept: Sequence[pa.Field], n_labels: int = 0) -> pa.Schema:
    """Returns the columns of the scores: id, kept fields, one score an output, how they came about.

    Args:
        outputs: Names of the model's outputs; each becomes a column ``score_<output>``.
        kept: Names and types of the fields that are carried over.
        n_labels: For so many of the highest outputs, ``label`` with ``label_score``, ``label_2`` and so on.
    """
    ranks = ["", *(f"_{rank}" for rank in range(2, n_labels + 1))][:n_labels]
    labels = [(pa.field(f"label{rank}", pa.string()), pa.field(f"label_score{rank}", pa.float32())) for rank in ranks]
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            *kept,
            *(pa.field(f"score_{name}", pa.float32()) for name in outputs),
            *(field for label in labels for field in label),
            pa.field("n_tokens", pa.int32(), nullable=False),
            pa.field("n_oov", pa.int32(), nullable=False),
            pa.field("truncated", pa.bool_(), nullable=False),
            pa.field("status", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("position", pa.int64(), nullable=False),
        ]
    )


def refuse_taken_names(outputs: Sequence[str], kept: Sequence[str], n_labels: int = 0) -> None:
    """Refuses kept fields that would give the scores two columns of one name, which no reader takes.

    Raises:
        UsageError: The first such field.
    """
    taken = [name for name in kept if name in scores_schema(outputs, (), n_labels).names]
    if taken:
        instead = ", or rename the field in the input"
        if taken[0] == "id":
            instead = " (--id_field=id carries the id)"
        elif taken[0].startswith("label"):
            instead = ", or give --no_label to do without the scores' own"
        raise UsageError(
            f"--keep_fields={taken[0]}: the scores have a column {taken[0]!r} of their own; leave it out{instead}."
        )


def scores_table(block: ScoredBlock, schema: pa.Schema, outputs: Sequence[str], n_labels: int = 0) -> pa.Table:
    """Returns a scored block as rows of the scores; an empty text has status ``empty`` and null scores."""
    status = pa.DictionaryArray.from_arrays(pa.array(block.is_empty, pa.int8()), ["scored", "empty"])
    columns = [
        pa.array(block.ids, pa.string()),
        *block.kept_fields,
        *(pa.array(column, pa.float32(), mask=block.is_empty) for column in block.scores.T),
        *_label_columns(block, outputs, n_labels),
        pa.array(block.n_tokens),
        pa.array(block.n_oov),
        pa.array(block.truncated),
        status.dictionary_decode(),
        pa.array(block.sources, pa.string()),
        pa.array(block.positions, pa.int64()),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _label_columns(block: ScoredBlock, outputs: Sequence[str], n_labels: int) -> Iterator[pa.Array]:
    if not n_labels:
        return
    highest = highest_outputs(block.scores, n_labels)
    for column in highest.T:
        labels = pa.DictionaryArray.from_arrays(pa.array(column, mask=block.is_empty), pa.array(outputs, pa.string()))
        yield labels.dictionary_decode()
        yield pa.array(block.scores[np.arange(len(column)), column], pa.float32(), mask=block.is_empty)


def dead_letters_table(letters: Sequence[DeadLetter], schema: pa.Schema, *, keep_raw: bool) -> pa.Table:
    """Returns dead letters as rows; without their bytes where `keep_raw` is False."""
    columns = {
        name: [getattr(letter, name) if keep_raw or name != "raw" else None for letter in letters]
        for name in schema.names
    }
    return pa.table(columns, schema)
