"""How a process of Saiten's own starts soon: without libraries that others load and nothing here uses."""

import gc
import importlib.abc
import sys
from collections.abc import Sequence

from saiten.model.errors import is_installed, missing_library

# By whom, and what they cost each process: pandas by Beam and TensorFlow (0.25 s of CPU), Matplotlib by Keras (0.4 s),
# cffi's compiler by Numba (0.15 s; what libraries need of cffi at run time is `_cffi_backend`), MongoDB's driver by
# Beam (5 MB).
_EVERYWHERE = frozenset({"pandas", "matplotlib", "cffi", "pymongo"})
# SciPy by Numba (0.1 s, 16 MB). Word vectors are trained with it, and it ranks scores.
_TO_SCORE = frozenset({"scipy"})
# Clients of stores and services, by Beam wherever its extras are installed (0.4 s of CPU), and its own part for
# BigQuery and the like, by Beam everywhere (0.1 s, and `requests` with it).
_ELSEWHERE = frozenset(
    {"google.cloud", "google.auth", "google.api_core", "boto3", "azure", "hdfs", "apache_beam.io.gcp.bigquery"}
)
# What is loaded stays, a million objects, and is looked through for garbage again and again on the way (a tenth of the
# time to the first score): so many objects come between two looks.
_COLLECTED_EVERY = 50_000
# By the beginning of a path: what Beam needs for such a store, and the extra that brings it.
_CLIENTS = {"gs://": ("google.cloud.storage", "gcp"), "s3://": ("boto3", "aws")}
STORES = tuple(_CLIENTS)
_CLIENT_PACKAGES = frozenset({"google", "boto3", "botocore", "azure", "requests", "urllib3"})
_LOOK_AT = "check the address, your credentials for it, and the network"
# The flag of a worker process whose run needs none of them.
STAYS_HERE = "--stays_here"
# How the flags begin by which a run leaves this machine without naming an address.
_LEAVING = ("--runner", "--subscription")


def start_light(*, only_scores: bool, stays_here: bool) -> None:
    """Keeps this process, which must be Saiten's own, from loading what it does not use.

    To those who ask for it, it is not installed.

    Args:
        only_scores: It does nothing but score.
        stays_here: It reads and writes nothing but files of this machine.
    """
    names = _EVERYWHERE | (_TO_SCORE if only_scores else set()) | (_ELSEWHERE if stays_here else set())
    sys.meta_path.insert(0, _NotThere(names))
    gc.set_threshold(_COLLECTED_EVERY)


def stays_here(arguments: Sequence[str]) -> bool:
    """Tells whether a command's arguments name nothing that lies or runs elsewhere."""
    return not any("://" in argument or argument.startswith(_LEAVING) for argument in arguments)


def refuse_unequipped(path: str) -> None:
    """Refuses a path on a store whose client is missing, of which Beam's own words tell nobody what to do.

    Raises:
        UsageError: With the extra that brings it.
    """
    scheme, slashes, _ = path.partition("://")
    library, extra = _CLIENTS.get(scheme + slashes, ("", ""))
    if library and not is_installed(library):
        raise missing_library(library, extra)


def missing_clients() -> dict[str, str]:
    """Returns the extra that brings the client of a store, for each store whose client is missing."""
    return {store: extra for store, (library, extra) in _CLIENTS.items() if not is_installed(library)}


def said_of_service(error: Exception) -> str:
    """Returns what a person is told of an error of a store's or a service's client; ``""`` where it is none.

    Each client has errors of its own, which are no `OSError`, for what is not there, not allowed or out of reach.
    """
    if type(error).__module__.partition(".")[0] not in _CLIENT_PACKAGES:
        return ""
    return f"A store or service cannot be reached, or refuses ({_named(error, 300)}): {_LOOK_AT}."


def said_of_store(error: Exception) -> str:
    """Returns what an error of Beam's about a store comes from, and what to look at; any other error's own words.

    Beam puts the errors of its clients into one of its own, and that into another, with a dictionary of each.
    """
    cause, details = error, getattr(error, "exception_details", None)
    while isinstance(details, dict) and details:
        cause = next(iter(details.values()))
        details = getattr(cause, "exception_details", None)
    return str(error) if cause is error else f"{_named(cause, 200)}: {_LOOK_AT}"


def _named(error: object, most: int) -> str:
    said = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {said[:most]}"


class _NotThere(importlib.abc.MetaPathFinder):
    """Finds none of the named, and leaves all others to the finders behind it.

    A None in `sys.modules` does as much for Python, but pyarrow's compiled code takes it for the module.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
