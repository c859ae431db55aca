"""Keeps libraries from writing to a person's terminal."""

import importlib
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from saiten.model.errors import missing_library

_TENSORFLOW_LOGS_NOTHING = ("TF_CPP_MIN_LOG_LEVEL", "3")


def quiet_libraries() -> None:
    """Silences TensorFlow, gRPC and Beam as far as they let themselves be told, in a process that is Saiten's own.

    What they log is nothing a person at a terminal can do something about, and Saiten's own last
    line has to be the last one.
    """
    os.environ.setdefault(*_TENSORFLOW_LOGS_NOTHING)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    logging.basicConfig(level=logging.CRITICAL)


def import_tensorflow() -> None:
    """Imports TensorFlow for what is going to need it, without the lines it writes whatever its log level.

    Those say that oneDNN is on. It has to stay on: without it TensorFlow rounds a text's scores
    otherwise in other batches.

    Raises:
        UsageError: TensorFlow is not installed.
    """
    os.environ.setdefault(*_TENSORFLOW_LOGS_NOTHING)
    with _standard_error_closed():
        try:
            importlib.import_module("tensorflow")
        except ImportError as error:
            raise missing_library("TensorFlow", "keras") from error


@contextmanager
def _standard_error_closed() -> Iterator[None]:
    # The lines come from C++, so that only the file descriptor itself can be turned away.
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
