"""A small file system, where the machine lets us have one."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """Mount a file system of a size that `mount` understands; the test is skipped where nobody may."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    try:
        refused = subprocess.run(command, capture_output=True, check=False).returncode != 0
    except FileNotFoundError:
        refused = True
    if refused:
        pytest.skip("only root may mount a small file system; the test with a limit on files covers the rest")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def resize(disk: Path, size: str) -> None:
    """Give such a file system another size."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)
