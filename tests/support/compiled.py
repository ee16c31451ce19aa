"""Compiled code that is older than what it was compiled from."""

from __future__ import annotations

from pathlib import Path


def forget_stale_code(package: Path) -> None:
    """Remove compiled code that is older than any source of compiled code in the package.

    numba asks only whether the file of a loop is newer than what it keeps of it, not the files of the
    functions that were compiled into it: a change of those would be tested as it was before.
    """
    sources = [*package.glob("*kernels.py"), *package.glob("exponential.py"), *package.glob("addresses.py")]
    newest = max(source.stat().st_mtime for source in sources)
    for index in package.glob("__pycache__/*.nbi"):
        if index.stat().st_mtime < newest:
            index.unlink(missing_ok=True)
