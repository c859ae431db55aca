"""What is said of a dictionary's files is true of the files as they are."""

import hashlib
import os
import pathlib
import time

from saiten.model.text.dictionary import sha256_of


def test_a_file_that_changed_is_hashed_anew(tmp_path: pathlib.Path) -> None:
    """Also where nothing but its content did: as many bytes, and the time of its last change set back."""
    path, contents = tmp_path / "sys.dic", (b"one", b"two")
    path.write_bytes(contents[0])
    before = path.stat()
    hashes = [sha256_of(path), sha256_of(path)]
    time.sleep(0.05)  # what a file system tells times apart by
    path.write_bytes(contents[1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    hashes.append(sha256_of(path))
    assert hashes == [hashlib.sha256(content).hexdigest() for content in (contents[0], *contents)]
