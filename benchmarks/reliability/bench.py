"""Where the tries take place: a bundle, inputs, and `saiten score` in this process or in one of its own."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from saiten.pipelines.commands.main import main

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SENTENCES = (
    "とても美味しいラーメンでした。",
    "料理は普通でしたが、店員さんが親切でした。",
    "駅から遠くて、値段も高い。もう行きません！",
    "部屋がきれいで、景色も良かったです。",
)


@dataclass(frozen=True)
class Bench:
    """What every row needs.

    Attributes:
        bundle: A bundle's directory.
        folder: For inputs and outputs; the caller removes it.
        random: Seeded, so that a failed try can be tried again.
    """

    bundle: pathlib.Path
    folder: pathlib.Path
    random: Random

    def arguments(self, source: pathlib.Path, output: pathlib.Path, *flags: str) -> list[str]:
        """Returns the arguments of `saiten`."""
        return ["score", f"--input={source}", f"--bundle={self.bundle}", f"--output={output}", "--quiet", *flags]

    def score(self, source: pathlib.Path, output: pathlib.Path, *flags: str) -> tuple[int, str]:
        """Scores in this process; returns the exit code and what was said."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = main(self.arguments(source, output, *flags))
        return code, said.getvalue()

    def start(
        self,
        arguments: list[str],
        *,
        program: str = "saiten.pipelines.commands.main",
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[str]":
        """Starts a module with arguments in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", program, *arguments],
            cwd=CHECKOUT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def write_lines(self, name: str, n_lines: int, *, padding_bytes: int = 0) -> pathlib.Path:
        """Writes a text file of different short texts.

        Args:
            padding_bytes: Behind every 8th line a line of white space of so many bytes: it is soon scored
                as empty, and makes a small file be cut into several ranges.
        """
        path = self.folder / name
        with path.open("w", encoding="utf-8") as file:
            for i in range(n_lines):
                file.write(f"{SENTENCES[i % len(SENTENCES)]}{i}\n")
                if padding_bytes and i % 8 == 0:
                    file.write(" " * padding_bytes + "\n")
        return path
