"""The checker shares no code with what it checks, and reads the log that is really written."""

import ast
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.checker import check, layout
from tests.unit.checker.story import Stored, Story

from crowdroute.router.adapters.codec import encode_batch
from crowdroute.router.events import EVENTS, Batch, Cause, Entry
from crowdroute.router.events.project import ProjectCreated, RulesApplied
from crowdroute.router.model.facts import Requirement, WorkerFacts
from crowdroute.router.model.rules import Field, Label, ProjectRules

CHECKER = Path(layout.__file__).parent


def imported(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_the_checker_has_modules_to_look_at() -> None:
    assert len(list(CHECKER.glob("*.py"))) > 5


@pytest.mark.parametrize("module", sorted(CHECKER.rglob("*.py")), ids=lambda path: path.name)
def test_no_module_of_the_checker_imports_the_product(module: Path) -> None:
    outside = {name for name in imported(module) if not name.startswith("tests.checker")}
    assert not {name for name in outside if name.split(".")[0] in ("crowdroute", "tests")}


def test_the_checker_knows_every_event_that_the_router_writes() -> None:
    written = {event.__struct_config__.tag for event in EVENTS}
    assert set(layout.EVENT_CLASSES) == written


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_the_checker_reads_the_fields_of_an_event_in_the_order_they_are_written(
    event: Any,
) -> None:
    read = layout.EVENT_CLASSES[event.__struct_config__.tag]
    assert (read.__name__, read._fields) == (event.__name__, event.__struct_fields__)


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (layout.Facts, WorkerFacts),
        (layout.Requirement, Requirement),
        (layout.Cause, Cause),
        (layout.Entry, Entry),
    ],
)
def test_the_checker_reads_the_other_records_in_the_order_they_are_written(read: Any, written: Any) -> None:
    assert read._fields == written.__struct_fields__


def test_the_checker_reads_the_rules_that_it_needs_where_they_are_written() -> None:
    wanted = layout.Rules._fields
    assert wanted == ProjectRules.__struct_fields__[: len(wanted)]
    rules = ProjectRules(version=1, fields=(Field("label", (Label("yes"), Label("no", removed=True))),))
    read = layout.Rules(*msgspec.to_builtins(rules, builtin_types=(bytes,))[: len(wanted)])
    assert (read.minimum, read.maximum) == (rules.overlap.minimum, rules.overlap.maximum)
    assert read.per_worker == rules.lease.per_worker
    assert (read.price(2), read.currency) == (rules.prices.expert_micros, rules.prices.currency)
    assert read.labels() == [["yes", "no"]]
    assert (read.refit_every_us, read.refit_answers) == (rules.refit.every_us, rules.refit.answers)


def test_a_body_is_read_with_and_without_its_format_byte() -> None:
    rules = ProjectRules(version=1, fields=(Field("label", (Label("yes"), Label("no"))),))
    events = (ProjectCreated(bytes(16), "faces"), RulesApplied(rules))
    body = encode_batch(Batch(1, (Entry("default/project/a", 1, Cause("CreateProject"), events),)))
    for each in (body, body[1:]):
        story = Story()
        story.append(layout.decode_body(each)[1])
        assert check(story.batches).ok
        assert check([Stored(1, 1, blake2b(bytes(32) + each, digest_size=32).digest(), each)]).ok
