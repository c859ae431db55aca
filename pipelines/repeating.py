"""Something that is done again and again while other work goes on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def repeating(action: Callable[[], object], every_secs: float, join_secs: float) -> Iterator[None]:
    """Does it in a thread every so many seconds while the block runs; what it raises is nothing until the next time.

    Args:
        join_secs: How long the end of the block waits for one that goes on.
    """
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(every_secs):
            with suppress(Exception):  # a store or a runner that cannot be asked now can be the next time
                action()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(join_secs)
