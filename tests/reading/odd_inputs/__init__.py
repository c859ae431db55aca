"""Odd inputs by name, and what becomes of each: a table for reading, and for whole runs.

A case is one file. Its records either come out as rows (position, text), or as dead letters
(position, code); or the file is refused as a whole.
"""

from tests.reading.odd_inputs.case import OddInput
from tests.reading.odd_inputs.compressed import COMPRESSED
from tests.reading.odd_inputs.containers import CONTAINERS
from tests.reading.odd_inputs.cr_lines import CR_LINES
from tests.reading.odd_inputs.delimited import CSV
from tests.reading.odd_inputs.headers import HEADERS
from tests.reading.odd_inputs.jsonl import JSONL
from tests.reading.odd_inputs.lines import ENCODINGS, LINES
from tests.reading.odd_inputs.marks import MARKS
from tests.reading.odd_inputs.parquet import PARQUET

CASES = [*LINES, *ENCODINGS, *COMPRESSED, *CONTAINERS, *CR_LINES, *JSONL, *CSV, *HEADERS, *MARKS, *PARQUET]

__all__ = ["CASES", "OddInput"]
