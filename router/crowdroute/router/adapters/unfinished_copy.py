"""A directory whose logs were copied from elsewhere, and not to the end: a file says so."""

from __future__ import annotations

from pathlib import Path

from crowdroute.router.adapters.durable_file import write_durably
from crowdroute.router.errors import ConfigurationError

NAME = "unfinished-copy"


def mark_directory(directory: Path, unfinished: bool) -> None:
    """Say durably whether the logs in a directory are a copy that is not finished.

    Raises:
        OSError: the disk does not take it.
    """
    if unfinished:
        write_durably(directory / NAME, ())
    else:
        (directory / NAME).unlink(missing_ok=True)


def require_finished(directory: Path) -> None:
    """See that the logs in a directory, if they are copies, were copied with all shards.

    Raises:
        ConfigurationError: they were not, so that shards do not fit together.
    """
    if (directory / NAME).exists():
        raise unfinished(str(directory))


def unfinished(place: str) -> ConfigurationError:
    """Give what is raised where a copy was interrupted."""
    return ConfigurationError(
        f"the log at {place} is a copy that was not finished, whose shards may be of different moments: give"
        " the same `crowdroute log copy` again, it goes on where it was; or copy to a new place",
        {"place": place},
    )
