"""Immutable objects in a folder at any URL that fsspec knows: a disk, S3, Google Storage, Azure and others.

Credentials are the driver's business (its environment or its files); none is ever part of a URL here, and an
error of a driver is told by its kind alone, because its text may name what should not be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crowdroute.router.adapters.durable_file import PARTIAL, write_durably
from crowdroute.router.errors import ConfigurationError, StorageError


class Objects:
    """`ports.ObjectFolder` at a URL."""

    def __init__(self, url: str, *folders: str) -> None:
        """Find the driver; nothing is asked of the store yet.

        Args:
            url: with its scheme, for example s3://bucket/prefix or file:///srv/crowdroute.
            folders: below it, one within the other.

        Raises:
            ConfigurationError: the scheme is unknown, or its driver is not installed.
        """
        self.place = "/".join((url.rstrip("/"), *folders))
        self._store, self._path = _driver(self.place)
        self._on_disk = urlsplit(url).scheme in ("file", "local")

    def names(self) -> list[str]:
        """Give the names of all objects, sorted."""
        with self._told("cannot be listed"):
            # Drivers remember listings, and another process may have written since.
            self._store.invalidate_cache()
            try:
                found = self._store.ls(self._path, detail=False)
            except FileNotFoundError:
                return []
        names = (path.rstrip("/").rpartition("/")[2] for path in found)
        return sorted(name for name in names if not name.endswith(PARTIAL))

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Give an object, or its first `limit` bytes."""
        with self._told(f"does not give {name}"):
            return bytes(self._store.cat_file(f"{self._path}/{name}", start=0, end=limit))

    def write(self, name: str, body: bytes) -> None:
        """Return once an object is durable; the same one may be written again, by anybody."""
        with self._told(f"did not take {name}"):
            if self._on_disk:
                path = Path(self._path, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_durably(path, (body,))
            else:
                # An object store shows an object whole or not at all. Whoever reads checks that, in case.
                self._store.makedirs(self._path, exist_ok=True)
                self._store.pipe_file(f"{self._path}/{name}", body)

    def remove(self, name: str) -> None:
        """Let go of an object, if it is there."""
        with self._told(f"did not remove {name}"):
            try:
                self._store.rm_file(f"{self._path}/{name}")
            except FileNotFoundError:
                return

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            # Each driver has errors of its own kind.
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise StorageError(f"{self.place} {what} ({reason})", {"url": self.place}) from None


def check_url(url: str) -> str:
    """Give back a URL that can be set and shown.

    Raises:
        ValueError: it has no scheme, or holds a password.
    """
    parts = urlsplit(url)
    if not parts.scheme or "://" not in url:
        raise ValueError("give a URL, for example s3://bucket/crowdroute or file:///srv/crowdroute")
    if parts.password is not None or parts.query:
        raise ValueError(
            "no credentials in a URL, which is shown in messages: the driver finds them in its own"
            " environment or files"
        )
    return url


def _driver(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise ConfigurationError(
            f"objects at {url} need fsspec: pip install 'crowdroute[cluster]'", {"url": url}
        ) from error
    try:
        store, path = url_to_fs(url)
    except ImportError as error:
        # fsspec names the package: "Install s3fs to access S3".
        raise ConfigurationError(f"objects at {url} need a driver: {error}", {"url": url}) from error
    except ValueError as error:
        raise ConfigurationError(
            f"no driver knows the scheme of {url}: use one of fsspec's, for example file, s3, gs or abfs",
            {"url": url},
        ) from error
    return store, str(path).rstrip("/")
