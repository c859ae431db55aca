"""Runs a program whose standard error is a terminal of its own."""

import os
import pty
import re
import signal
import subprocess

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_MOVES = re.compile(r"\r(?!\n)|\x1b\[\d*[AK]")


def run_on_terminal(command: list[str], *, interrupt_at: str | None = None) -> tuple[int, str]:
    """Returns the exit code, and what was written on the terminal.

    Args:
        interrupt_at: Sends SIGINT when this has been written.
    """
    reader, terminal = pty.openpty()
    with subprocess.Popen(command, stderr=terminal, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(terminal)
        said = b""
        try:
            while piece := os.read(reader, 4096):
                said += piece
                if interrupt_at and interrupt_at.encode() in said:
                    process.send_signal(signal.SIGINT)
                    interrupt_at = None
        except OSError:  # how a terminal says that nobody is left to write
            os.close(reader)
    return process.returncode, said.decode()


def said_after_bar(said: str) -> str:
    """Returns what stands on the terminal when a bar was up and the cursor was given back for the last time."""
    assert HIDE_CURSOR in said, "there was no bar"
    *_, last = said.rpartition(SHOW_CURSOR)
    return _MOVES.sub("", last)
