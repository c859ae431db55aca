"""What the launcher holds of a Parquet file of one row group, at most: a corpus, and as often that as makes a million.

    python -m benchmarks.probes.row_group BUNDLE CORPUS

Each run is ended after a minute: by then the launcher has planned, and its workers score.
"""

import json
import pathlib
import shutil
import sys
import tempfile

from benchmarks.parts.packings import write_packed
from benchmarks.parts.processes import run_command

_ARTICLES = 1_000_000
_SECS = 60


def main(bundle: str, corpus: str) -> None:
    """Prints the number of articles and the launcher's peak in bytes, for both files."""
    path = pathlib.Path(corpus)
    with path.open(encoding="utf-8", newline="\n") as lines:
        texts = [line.removesuffix("\n") for line in lines]
    counts, peaks = [], []
    for times in (1, -(-_ARTICLES // len(texts))):
        file = path.with_name(f"{path.stem}-{times}x.parquet")
        if not file.exists():
            write_packed(texts, times, file)
        output = tempfile.mkdtemp(prefix="saiten-row-group-")
        flags = [f"--input={file}", f"--bundle={bundle}", f"--output={output}", "--workers=2", "--quiet"]
        saiten = str(pathlib.Path(sys.executable).with_name("saiten"))
        peaks.append(run_command([saiten, "score", *flags], stop_after_secs=_SECS).own_bytes)
        counts.append(times * len(texts))
        shutil.rmtree(output)
    print(json.dumps({"articles": counts, "launcher_bytes": peaks}))


if __name__ == "__main__":
    main(*sys.argv[1:])
