"""The programs that the services are made of: found, new enough, or named with the way to install them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local_services.errors import ProgramMissing

# Brokers of Apache Kafka 4 do not run on an older Java.
OLDEST_JAVA = 17
# The first with the access rules and the scripts that the router's Redis adapter is tested with.
OLDEST_REDIS = 7
VERSION_TIMEOUT = 30.0  # s; a Java that starts on a busy machine


@dataclass(frozen=True, slots=True)
class Program:
    """One program: how it is called, Debian's package of it, and how it tells its version."""

    name: str
    package: str
    version_option: str
    version_pattern: str
    oldest: int


JAVA = Program("java", "openjdk-17-jre-headless", "-version", r'version "(\d+)', OLDEST_JAVA)
REDIS = Program("redis-server", "redis-server", "--version", r"v=(\d+)", OLDEST_REDIS)
MAVEN = Program("mvn", "maven", "--version", r"Apache Maven (\d+)", 3)
OPENSSL = Program("openssl", "openssl", "version", r"OpenSSL (\d+)", 3)

Finder = Callable[[str], str | None]


def require(
    programs: list[Program], environment: Mapping[str, str] = os.environ, which: Finder = shutil.which
) -> dict[str, str]:
    """The path of each of `programs` by name; ProgramMissing names all that are absent or too old at once."""
    found: dict[str, str] = {}
    wrong: list[tuple[Program, str]] = []
    for program in programs:
        path = _find(program, environment, which)
        reason = "is not installed" if path is None else _too_old(program, path)
        if path is None or reason is not None:
            wrong.append((program, f"'{program.name}' {reason}"))
        else:
            found[program.name] = path
    if wrong:
        packages = " ".join(program.package for program, _ in wrong)
        raise ProgramMissing(
            f"{'; '.join(reason for _, reason in wrong)}.\n"
            f"Debian and Ubuntu: apt-get install --no-install-recommends {packages}\n"
            f"Elsewhere: install Java {OLDEST_JAVA} or newer, Maven 3 and Redis {OLDEST_REDIS} or newer, "
            "and put them on PATH (for Java, JAVA_HOME does too)."
        )
    return found


def _find(program: Program, environment: Mapping[str, str], which: Finder) -> str | None:
    home = environment.get("JAVA_HOME")
    if program is JAVA and home:
        return which(os.path.join(home, "bin", "java"))
    return which(program.name)


def _too_old(program: Program, path: str) -> str | None:
    try:
        told = subprocess.run(
            [path, program.version_option],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=VERSION_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"({path}) does not run: {error}"
    match = re.search(program.version_pattern, told.stdout)
    if told.returncode != 0 or match is None:
        return f"({path}) does not tell its version: {told.stdout.strip()[:200]!r}"
    if int(match[1]) < program.oldest:
        return f"({path}) is version {match[1]}, and {program.oldest} is the oldest that works"
    return None
