"""Writes what `./run_local.sh` says into README.md, shortened.

rm -r local; ./run_local.sh 2>&1 | .venv/bin/python scripts/pages/readme.py
"""

import pathlib
import re
import sys
from collections.abc import Iterable

_PAGE = pathlib.Path(__file__).parents[2] / "README.md"
_COMMAND = "$ ./run_local.sh\n"
_LEFT_OUT = re.compile(
    r"^([a-z].*\((\d+\.\d) s\)$|\d+ numbers|saiten: (scores with|[\d.]+% of the held-out|The held-out loss))"
)
# The table of the held-out figures: from its title to what is said next.
_TABLE = re.compile(r"^\d[\d,]* held-out texts")


def shortened(lines: Iterable[str]) -> list[str]:
    """Returns the lines that a reader wants to see, with … for epochs and tables that are left out."""
    kept: list[str] = []
    is_table = False
    for line in (line.rstrip() for line in lines):
        is_table = bool(_TABLE.match(line)) or (is_table and not line.startswith("saiten: "))
        if line.startswith("epoch 1:") or not (is_table or _LEFT_OUT.match(line)):
            kept.append(line)
        elif kept and kept[-1] != "…":
            kept.append("…")
    while kept and not kept[-1]:
        kept.pop()
    return [line for line, before in zip(kept, ["", *kept], strict=False) if line or before]


if __name__ == "__main__":
    page = _PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(_COMMAND)
    said = "\n".join(shortened(sys.stdin))
    _PAGE.write_text(f"{head}{_COMMAND}{said}\n```{rest.partition('```')[2]}", encoding="utf-8")
