"""A Google Cloud Storage on this machine's loopback, from a package: the emulator that tests write to."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

BUCKET = "saiten"


@contextmanager
def emulated() -> Iterator[str]:
    """Serves an empty bucket while the block runs; yields its URL. Skips the test where the package is missing."""
    reason = "needs gcp-storage-emulator and google-cloud-storage"
    server_module = pytest.importorskip("gcp_storage_emulator.server", reason=reason)
    pytest.importorskip("google.cloud.storage", reason=reason)
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
