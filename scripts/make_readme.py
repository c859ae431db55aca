"""Writes what `./run_local.sh` says into README.md, shortened.

rm -r local; ./run_local.sh 2>&1 | .venv/bin/python scripts/make_readme.py
"""

import pathlib
import re
import sys
from collections.abc import Iterable

_PAGE = pathlib.Path(__file__).parents[1] / "README.md"
_COMMAND = "$ ./run_local.sh\n"
_LEFT_OUT = re.compile(
    r"^([┏┡│└┃]|[a-z].*\((\d+\.\d) s\)$|\d+ numbers|\d[\d,]* held-out texts"
    r"|saiten: (scores with|[\d.]+% of the held-out|The held-out loss))"
)


def shortened(lines: Iterable[str]) -> list[str]:
    """Returns the lines that a reader wants to see, with … for epochs and tables that are left out."""
    kept: list[str] = []
    for line in (line.rstrip() for line in lines):
        if not _LEFT_OUT.match(line) or line.startswith("epoch 1:"):
            kept.append(line)
        elif kept and kept[-1] != "…":
            kept.append("…")
    return [line for line, before in zip(kept, ["", *kept], strict=False) if line or before]


if __name__ == "__main__":
    page = _PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(_COMMAND)
    said = "\n".join(shortened(sys.stdin))
    _PAGE.write_text(f"{head}{_COMMAND}{said}\n```{rest.partition('```')[2]}", encoding="utf-8")
