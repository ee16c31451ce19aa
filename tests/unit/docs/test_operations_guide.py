"""The operations guide names every setting, scope, status, reason and error code, and no other."""

import configparser
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from tests.unit.docs.documents import REPOSITORY, blocks, codes, read, section, tables
from tests.unit.docs.test_commands import problem

import crowdroute.router
from crowdroute.router.errors import RouterError
from crowdroute.router.rpc.scopes import SCOPES, Scope
from crowdroute.router.rpc.status import retry_seconds, status_code
from crowdroute.router.runtime.settings import (
    ClusterSettings,
    FeedSettings,
    KafkaLogSettings,
    LimitSettings,
    MetricsSettings,
    PeerSettings,
    PeerTlsSettings,
    RedisSettings,
    Settings,
    TlsSettings,
    TracingSettings,
    load_settings,
)
from crowdroute.workers.status import TRANSITIONS, WorkerStatus, may_lease

GUIDE = read("docs/operations.md")
UNIT = REPOSITORY / "deploy" / "systemd" / "crowdroute.service"
SOURCES = REPOSITORY / "router" / "crowdroute" / "router"
GROUPS = {
    "tls": TlsSettings,
    "limits": LimitSettings,
    "metrics": MetricsSettings,
    "tracing": TracingSettings,
    "cluster": ClusterSettings,
    "kafka": KafkaLogSettings,
    "redis": RedisSettings,
    "feeds": FeedSettings,
    "peers": PeerSettings,
    "peers.tls": PeerTlsSettings,
}


def settings(kind: type[BaseModel], before: str = "") -> Iterator[tuple[str, str]]:
    """Give name and default of every setting, as the guide writes them."""
    for name, field in kind.model_fields.items():
        if before + name in GROUPS:
            yield from settings(GROUPS[before + name], f"{before}{name}.")
        elif field.is_required():
            yield before + name, "required"
        else:
            yield before + name, "none" if field.default is None else f"`{field.default}`"


def every_error() -> dict[str, type[RouterError]]:
    """Give one class of the errors tree per code."""
    for module in pkgutil.walk_packages(crowdroute.router.__path__, "crowdroute.router."):
        importlib.import_module(module.name)
    found: dict[str, type[RouterError]] = {}
    waiting: list[type[RouterError]] = [RouterError]
    while waiting:
        kind = waiting.pop()
        if kind.__module__.startswith("crowdroute.router."):
            found[kind.code] = kind
        waiting += kind.__subclasses__()
    return found


def test_every_setting_is_named_with_its_default() -> None:
    told = [(codes(row[0])[0], row[1]) for row in tables(section(GUIDE, "Settings"))[0]]
    assert dict(told) == dict(settings(Settings))
    assert len(told) == len(dict(told))


def test_the_settings_file_of_the_guide_can_be_read(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROWDROUTE_ADDRESS", raising=False)
    file = tmp_path / "crowdroute.toml"
    file.write_text(blocks(GUIDE, "toml")[0])
    read_settings = load_settings(file)
    assert read_settings.address == "0.0.0.0:7070"
    assert read_settings.tls is not None
    assert read_settings.limits.calls_per_second == 500


def test_every_scope_is_told_with_its_calls() -> None:
    told = {codes(row[0])[0]: set(codes(row[1])) for row in tables(section(GUIDE, "Tokens and scopes"))[0]}
    opened: dict[str, set[str]] = {scope.value: set() for scope in Scope}
    for path, scope in SCOPES.items():
        opened[scope.value].add(path.rpartition("/")[2])
    assert told == opened


def test_every_error_code_is_told_with_its_status_and_whether_to_try_again() -> None:
    rows = tables(section(GUIDE, "Error codes"))[0]
    told = {codes(row[0])[0]: (codes(row[1])[0], row[2]) for row in rows}
    assert len(told) == len(rows)
    # The code of what is no error of ours.
    assert told.pop("INTERNAL") == ("INTERNAL", "no")
    expected = {}
    for code, kind in every_error().items():
        error = kind.__new__(kind)
        expected[code] = (status_code(error).name, "yes" if retry_seconds(error) else "no")
    assert told == expected


def test_every_worker_status_is_told_with_whether_it_is_given_work() -> None:
    told = {codes(row[0])[0]: row[1] for row in tables(section(GUIDE, "Workers"))[0]}
    assert told == {status.name: "yes" if may_lease(status) else "no" for status in WorkerStatus}


def test_every_reason_for_a_change_of_status_is_told_with_where_it_leads() -> None:
    told = {
        (start, codes(reason)[0], end)
        for reason, starts, end in tables(section(GUIDE, "Workers"))[1]
        for start in codes(starts)
    }
    assert {(start, reason) for start, reason, _ in told} == {
        (start.name, reason.value) for start, reason in TRANSITIONS
    }
    ends = {(start.name, reason.value): transition for (start, reason), transition in TRANSITIONS.items()}
    for start, reason, end in told:
        transition = ends[start, reason]
        assert codes(end) == ([] if transition.to is None else [transition.to.name])
        assert ("must be given" in end) == transition.needs_end


def test_the_unit_for_systemd_starts_a_command_that_exists_and_starts_it_again() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # keys of systemd have capitals
    unit.read_string(UNIT.read_text())
    service = unit["Service"]
    program, *words = service["ExecStart"].split()
    assert program.endswith("/crowdroute")
    assert words[0] == "serve"
    assert problem(words) == ""
    assert service["Restart"] == "always"
    assert float(service["TimeoutStopSec"]) > Settings().grace_seconds
    assert "MemoryDenyWriteExecute" not in service


def test_every_line_that_the_guide_explains_is_written_somewhere() -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    told = [line for table in tables(section(GUIDE, "Logs")) for row in table for line in codes(row[0])]
    assert {"serving", "placement"} <= {*told}
    for line in told:
        begin = line.removesuffix("…")
        assert f'"{begin}"' in written or f'"{begin}%s' in written, line
