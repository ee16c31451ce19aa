"""Small text files that people name on the command line."""

from __future__ import annotations

from pathlib import Path

from crowdroute.router.errors import ConfigurationError


def read_text(path: Path) -> str:
    """Give what a file holds.

    Raises:
        OSError: it cannot be read.
        ConfigurationError: it is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is not UTF-8 text (byte {error.start}): name another file"
        ) from None
