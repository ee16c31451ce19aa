"""Writing a file that is whole and on the disk, or not there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

PARTIAL = ".partial"
"""What the name of a file that is being written ends with; a crash leaves at most one behind."""


def write_durably(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Put a file in the place of what has its name; another process may write the same one meanwhile.

    Raises:
        OSError: it could not be written; what was there before stands.
    """
    # The process id alone is not enough on a disk that several machines share.
    partial = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}{PARTIAL}")
    try:
        with partial.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
