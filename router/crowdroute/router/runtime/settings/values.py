"""What several settings are made of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from crowdroute.router.adapters.objects import check_url


def _host_and_port(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError("give host:port, for example 127.0.0.1:7070; port 0 takes a free one")
    return address


Address = Annotated[str, AfterValidator(_host_and_port)]

Url = Annotated[str, AfterValidator(check_url)]
"""Of a folder that fsspec has a driver for."""


def require_files(files: Iterable[Path | None]) -> None:
    """See that those of the files that are named are there.

    Raises:
        ValueError: one is not.
    """
    for file in files:
        if file is not None and not file.is_file():
            raise ValueError(f"there is no file {file}")


def require_secret(file: Path | None) -> None:
    """See that a file, if one is named, holds something that can be a secret.

    Raises:
        ValueError: it does not, or cannot be read.
    """
    if file is None:
        return
    try:
        secret = file.read_text().strip()
    except OSError as error:
        raise ValueError(f"cannot read {file} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no text") from error
    if not secret:
        raise ValueError(f"{file} is empty: put the password there")
