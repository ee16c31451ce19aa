"""Immutable objects in a folder at any URL that fsspec knows: a disk, S3, Google Storage, Azure and others.

Credentials are the driver's business (its environment or its files); none is ever part of a URL here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crowdroute.router.adapters.durable_file import PARTIAL, write_durably
from crowdroute.router.adapters.object_failures import code_of, failure
from crowdroute.router.errors import ConfigurationError

BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"})
"""Schemes of stores without folders. To make one there means to create a bucket, and with a mistyped URL that
would be a new and empty one, where an archive ought to be."""

CONNECT_SECONDS = 3
"""Patience with a store that cannot be reached: a start looks there for snapshots, and must not hang."""

READ_SECONDS = 15
"""Patience with a store that was reached, until the next bytes."""

TRIES_AGAIN = 1
"""Of a driver, after a failure: whoever uses a folder comes again by itself (an archive every 30 s)."""

_OPTIONS: dict[str, dict[str, object]] = {
    scheme: {
        "config_kwargs": {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "retries": {"max_attempts": TRIES_AGAIN, "mode": "standard"},
        }
    }
    for scheme in ("s3", "s3a")
}
"""What only one driver understands, by scheme."""


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
        scheme = urlsplit(url).scheme
        self._on_disk = scheme in ("file", "local")
        self._has_folders = scheme not in BUCKETS

    def names(self) -> list[str]:
        """Give the names of all objects, sorted."""
        with self._told("cannot be listed"):
            try:
                found = self._store.ls(self._path, detail=False)
            except FileNotFoundError as error:
                # A store that answers "no such bucket", or no store that answers "404", is no empty folder:
                # where the archive looked empty, a good log would look damaged.
                if code_of(error) is not None:
                    raise
                return []
        names = (path.rstrip("/").rpartition("/")[2] for path in found)
        return sorted(name for name in names if not name.endswith(PARTIAL))

    def read(self, name: str) -> bytes:
        """Give an object."""
        with self._told(f"does not give {name}"):
            return bytes(self._store.cat_file(f"{self._path}/{name}"))

    def write(self, name: str, body: bytes) -> None:
        """Return once an object is durable; the same one may be written again, by anybody."""
        with self._told(f"did not take {name}"):
            if self._on_disk:
                path = Path(self._path, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_durably(path, (body,))
            else:
                # An object store shows an object whole or not at all. Whoever reads checks that, in case.
                if self._has_folders:
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
            raise failure(self.place, what, error) from None


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
        # Drivers remember listings, and another process may have written since.
        store, path = url_to_fs(url, use_listings_cache=False, **_OPTIONS.get(urlsplit(url).scheme, {}))
    except ImportError as error:
        # fsspec names the package: "Install adlfs to access Azure Datalake Gen2 and Azure Blob Storage".
        raise ConfigurationError(f"objects at {url} need a driver: {error}", {"url": url}) from error
    except ValueError as error:
        raise ConfigurationError(
            f"no driver knows the scheme of {url}: use one of fsspec's, for example file, s3, gs or abfs",
            {"url": url},
        ) from error
    if hasattr(store, "retries"):
        # Those of s3fs come on top of its client's: ten times READ_SECONDS for a store that is silent.
        store.retries = 1
    return store, str(path).rstrip("/")
