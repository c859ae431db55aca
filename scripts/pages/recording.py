"""Records `./run_local.sh` as `docs/run_local.cast`, in asciinema's format 2, as it looks in a terminal.

rm -rf local .venv; python3 scripts/pages/recording.py    (asciinema play docs/run_local.cast shows it)
"""

import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl

_ROOT = pathlib.Path(__file__).parents[2]
_PAGE = _ROOT / "docs" / "run_local.cast"
_COMMAND = "./run_local.sh"
_COLUMNS, _ROWS = 80, 30
# What is shown within so many seconds is shown at once, and a pause longer than so is cut down by the player.
_FRAME_SECS, _IDLE_SECS = 5.0, 1.0
# A line that is drawn and then drawn anew, by a bar or by what pip has fetched.
_REDRAWN = re.compile(r"\r\x1b\[2?K[^\n]*?(?=\r\x1b\[2?K)")

Event = tuple[float, str]


def record(command: str) -> Iterator[Event]:
    """Yields what the command writes on a terminal, with the seconds since it was started."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    started = time.monotonic()
    with subprocess.Popen([command], cwd=_ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        pending = b""
        while True:
            try:
                pending += os.read(ours, 65_536)
            except OSError:  # the terminal has nobody left who writes on it
                break
            whole = pending.decode("utf-8", "ignore")
            pending = pending[len(whole.encode()) :]
            yield time.monotonic() - started, whole
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}")


def thinned(events: Iterator[Event]) -> Iterator[Event]:
    """Puts together what follows close upon another, without lines that were soon drawn anew."""
    begun, text = 0.0, ""
    for seconds, more in events:
        if text and seconds - begun >= _FRAME_SECS:
            yield begun, _REDRAWN.sub("", text)
            text = ""
        begun, text = (begun, text + more) if text else (seconds, more)
    yield begun, _REDRAWN.sub("", text)


def main() -> None:
    """Records, and writes the page."""
    header = {"version": 2, "width": _COLUMNS, "height": _ROWS, "idle_time_limit": _IDLE_SECS, "title": _COMMAND}
    lines = [json.dumps(header), json.dumps([0.0, "o", f"$ {_COMMAND}\r\n"])]
    lines += [json.dumps([round(at, 2), "o", text], ensure_ascii=False) for at, text in thinned(record(_COMMAND))]
    _PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
