"""The guide names every error code, variable, package and address of the services, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.docs.documents import codes, read, tables

from local_services import choices, env_file, errors, programs, stack
from local_services.choices import Wishes
from local_services.errors import ServicesError

GUIDE = read("docs/cluster.md")


def under(heading: str) -> str:
    """What stands under a heading of the third level."""
    return GUIDE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]


def first_column(heading: str) -> list[str]:
    return [codes(row[0])[0] for row in tables(under(heading))[0]]


def test_every_error_has_its_code_in_the_guide() -> None:
    every = {kind.code for kind in vars(errors).values() if isinstance(kind, type)}
    assert sorted(first_column("When a start fails")) == sorted(every - {ServicesError.code})
    assert f"within {stack.READY_TIMEOUT:.0f} s" in under("When a start fails")


def test_every_variable_that_is_read_is_in_the_guide() -> None:
    source = Path(choices.__file__).read_text() + Path(stack.__file__).with_name("commands.py").read_text()
    read_there = set(re.findall(r'"(BROKERS|SECURE|[A-Z_]+_PORT|CROWDROUTE_[A-Z_]+)"', source))
    assert set(first_column("What may be chosen")) == read_there


def test_every_package_is_in_the_guide() -> None:
    told = [codes(row[1])[0] for row in tables(under("What is needed"))[0]]
    every = (programs.JAVA, programs.MAVEN, programs.REDIS, programs.OPENSSL)
    assert told == [program.package for program in every]


def test_every_address_is_in_the_guide() -> None:
    ((name, told), *_) = tables(under("What is in the folder"))[0]
    assert codes(name) == ["env"]
    secure = choices.choose(Wishes(secure=True))
    assert set(codes(told)) == env_file.variables(secure, Path("libs"), Path("tls")).keys()


def test_the_times_that_a_stop_may_take_are_those_of_the_services(tmp_path: Path) -> None:
    chosen = choices.choose(Wishes())
    broker, redis = stack.Stack(tmp_path, {}, print).known(chosen)
    assert f"waits {broker.grace:.0f} s for a broker and {redis.grace:.0f} s for Redis" in GUIDE
