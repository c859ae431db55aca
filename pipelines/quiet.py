"""Keeps libraries from writing to a person's terminal."""

import logging
import os


def quiet_libraries() -> None:
    """Silences TensorFlow, gRPC and Beam; must run before TensorFlow is first imported.

    What they log is nothing a person at a terminal can do something about, and Saiten's own last
    line has to be the last one. oneDNN says on import that its sums may come out otherwise than
    elsewhere: without it they don't, and the keras engine takes a fifth longer.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    logging.getLogger().setLevel(logging.CRITICAL)
