"""Apache Kafka's jars: fetched once with Maven, compared with the pinned digests, kept in a cache folder."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from local_services import programs
from local_services.errors import ArtifactsUnusable

FOLDER = Path(__file__).resolve().parents[1]
POM = FOLDER / "pom.xml"
DIGESTS = FOLDER / "libs.sha256"
FETCH_TIMEOUT = 900.0  # s; 44 MB over a slow line

Say = Callable[[str], None]


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where the jars of the pinned version are kept."""
    root = environment.get("XDG_CACHE_HOME") or os.path.join(environment.get("HOME") or "~", ".cache")
    return Path(root).expanduser().absolute() / "crowdroute" / f"kafka-{kafka_version()}"


def kafka_version() -> str:
    """The version that pom.xml pins."""
    match = re.search(r"<kafka.version>([^<]+)</kafka.version>", POM.read_text())
    if match is None:
        raise ArtifactsUnusable(f"{POM} names no kafka.version: restore the file")
    return match[1]


def pinned() -> dict[str, str]:
    """SHA-256 by file name, of every jar that belongs there."""
    return {name: digest for digest, name in (line.split() for line in DIGESTS.read_text().splitlines())}


def difference(folder: Path, expected: Mapping[str, str]) -> str | None:
    """What in `folder` is not as `expected`, or None when every jar is there and right and no other is."""
    present = {path.name for path in folder.glob("*.jar")}
    if present != expected.keys():
        missing = ", ".join(sorted(expected.keys() - present)) or "none"
        return f"missing: {missing}; unexpected: {', '.join(sorted(present - expected.keys())) or 'none'}"
    wrong = [
        name
        for name, digest in sorted(expected.items())
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    ]
    return f"other bytes than pinned: {', '.join(wrong)}" if wrong else None


def ensure(environment: Mapping[str, str], say: Say) -> Path:
    """The folder with the pinned jars, fetched if it is not there or is damaged.

    Raises ArtifactsUnusable if Maven cannot fetch them or brings others, ProgramMissing without Maven.
    """
    folder = cache_folder(environment)
    expected = pinned()
    if folder.is_dir() and difference(folder, expected) is None:
        return folder
    maven = programs.require([programs.JAVA, programs.MAVEN], environment)["mvn"]
    say(f"fetching Apache Kafka {kafka_version()} with Maven into {folder} (44 MB, once)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as scratch:
        fetched = Path(scratch) / "libs"
        _fetch(maven, fetched)
        wrong = difference(fetched, expected)
        if wrong is not None:
            raise ArtifactsUnusable(
                f"what Maven fetched is not what {DIGESTS} pins ({wrong}): nothing of it was kept. "
                "Look at the repositories that your Maven settings name; if pom.xml was changed on purpose, "
                "renew the digests with it."
            )
        shutil.rmtree(folder, ignore_errors=True)
        try:
            fetched.rename(folder)
        except OSError as error:
            # Another start may have put it there in the meantime; then it must be right as well.
            if difference(folder, expected) is not None:
                raise ArtifactsUnusable(f"cannot put the jars into {folder}: {error}") from error
    return folder


def _fetch(maven: str, into: Path) -> None:
    command = [
        maven,
        "--batch-mode",
        "--quiet",
        "--strict-checksums",
        "-Dstyle.color=never",
        f"--file={POM}",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={into}",
    ]
    try:
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=FETCH_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactsUnusable(
            f"Maven had not fetched Kafka's jars after {FETCH_TIMEOUT:.0f} s: run it again, "
            "it goes on where it was"
        ) from error
    if ran.returncode != 0:
        last = "\n".join(ran.stdout.strip().splitlines()[-20:])
        raise ArtifactsUnusable(
            "Maven could not fetch Kafka's jars. It needs Maven Central, or a mirror of it in "
            f"~/.m2/settings.xml; run it again, it goes on where it was. It said:\n{last}"
        )
