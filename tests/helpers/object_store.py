"""A Google Cloud Storage on this machine's loopback, from a package: the emulator that tests write to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest

BUCKET = "saiten"


@contextmanager
def emulated() -> Iterator[str]:
    """Serves an empty bucket while the block runs; yields its URL. Skips the test where the package is missing."""
    reason = "needs gcp-storage-emulator and google-cloud-storage"
    server_module = pytest.importorskip("gcp_storage_emulator.server", reason=reason)
    pytest.importorskip("google.cloud.storage", reason=reason)
    for routes in (handlers for _, handlers in server_module.HANDLERS):
        if routes.get("POST") is server_module.objects.insert:
            routes["POST"] = _conditional(server_module.objects.insert)
    server = server_module.create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    server.start()
    address = server._api._httpd.server_address
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", f"http://{address[0]}:{address[1]}")
        patch.setenv("GOOGLE_CLOUD_PROJECT", "saiten-tests")
        patch.setenv("NO_GCE_CHECK", "true")  # else Google's library looks for its own machines first
        try:
            yield f"gs://{BUCKET}"
        finally:
            server.stop()


def _conditional(insert: Callable[..., None]) -> Callable[..., None]:
    """An upload as Google's store takes it and the emulator does not: on the condition that the object is as it was."""

    def insert_if_unchanged(request: Any, response: Any, storage: Any, *arguments: Any) -> None:
        (wanted,) = request.query.get("ifGenerationMatch", [None])
        if wanted is not None:
            name = request.query["name"][0] if "name" in request.query else request.data["meta"]["name"]
            found = storage.objects.get(request.params["bucket_name"], {}).get(name, {})
            if found.get("generation", "0") != wanted:
                response.status = HTTPStatus.PRECONDITION_FAILED
                return
        insert(request, response, storage, *arguments)  # it takes one request at a time

    return insert_if_unchanged
