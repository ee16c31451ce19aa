"""From what callers send to the rows of one AddTasks, whatever form it came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from crowdroute.api.v1 import tasks_pb2, types_pb2
from crowdroute.router.commands.project import NewTask
from crowdroute.router.errors import InvalidCommand, NotFound
from crowdroute.router.machine.project.guards import full_answer
from crowdroute.router.model import content
from crowdroute.router.model.answers import Answer
from crowdroute.router.model.content import ItemContent
from crowdroute.router.model.facts import Requirement
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.model.states import Purpose
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.convert.content import encode_item, parts_of
from crowdroute.router.rpc.convert.ids import id_of, ids_of
from crowdroute.router.rpc.convert.requirements import requirement_of
from crowdroute.router.rpc.convert.states import optional_state_of
from crowdroute.router.rpc.convert.times import moment_of
from crowdroute.router.rpc.operations.office import LONGEST_EXTERNAL_ID, Place, checked_text
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project

LONGEST_BATCH = 200
LONGEST_CAPABILITY = 200
LARGEST_CONTENT = 2 << 20
"""Bytes of one item: with its annotations it must fit a message of 4 MiB, which is what clients take."""

MOST_LISTED = 10_000
"""Workers of one allow or deny list."""


class Row(NamedTuple):
    """One row, and the content to be made durable with it if the item is new."""

    task: NewTask
    change: ContentChange | None


def contents_of(state: Project, rows: Iterable[Row]) -> list[ContentChange]:
    """Give the contents to be made durable with rows; ask in the step in which they are decided.

    An item that the project knows already, or that an earlier row adds, keeps its content: what is sent for
    it again would lie in the content store under an id that nothing leads to, where no erasure reaches it.
    """
    contents: list[ContentChange] = []
    named: set[Id] = set()
    for row in rows:
        external = row.task.external
        if row.change is None or external in named:
            continue
        if external != NO_ID:
            if state.items.find_external(external) >= 0:
                continue
            named.add(external)
        contents.append(row.change)
    return contents


class Intake:
    """Reads items for one project."""

    def __init__(self, organisation: OrganisationState, place: Place) -> None:
        self._organisation = organisation
        self._place = place

    def row(self, message: tasks_pb2.NewItem) -> Row:
        """Read one item with the task to open on it.

        Raises:
            InvalidCommand, UnknownLabel: it cannot be right.
            NotFound: it names a worker, pool or vendor that does not exist.
        """
        purpose = optional_state_of(Purpose, message.purpose, "purpose") or Purpose.PRODUCTION
        batch = checked_text(message.batch, "batch", LONGEST_BATCH)
        capability = checked_text(message.capability, "capability", LONGEST_CAPABILITY)
        deadline_us = moment_of(message.deadline, "deadline") if message.HasField("deadline") else 0
        requirement = self._requirement(message)
        allow = self._workers(message.allowed_worker_ids, "allowed_worker_ids")
        deny = self._workers(message.denied_worker_ids, "denied_worker_ids")
        gold = self._gold(purpose, message.gold)
        item, external, digest, change = self._item(message)
        return Row(
            NewTask(
                item=item,
                task=self._place.engine.new_id(),
                external=external,
                digest=digest,
                purpose=purpose,
                batch=batch,
                priority=message.priority,
                deadline_us=deadline_us,
                capability=capability,
                requirement=requirement,
                allow=allow,
                deny=deny,
                gold=gold,
            ),
            change,
        )

    def _item(self, message: tasks_pb2.NewItem) -> tuple[Id, Id, bytes, ContentChange | None]:
        """Give the item's id, the digests of external id and content, and what to store."""
        if message.item_id:
            if message.content or message.external_id:
                raise InvalidCommand(
                    "item_id names an item that exists: leave either it or content and external_id out",
                    {"field": "item_id"},
                )
            return id_of(Kind.ITEM, message.item_id, "item_id"), NO_ID, b"", None
        parts = parts_of(message.content, "content")
        if not parts:
            raise InvalidCommand("the item has no content: give at least one part", {"field": "content"})
        external_id = checked_text(message.external_id, "external_id", LONGEST_EXTERNAL_ID)
        external = self._place.engine.external(self._place.tenant, Kind.ITEM, external_id)
        item = self._place.engine.new_id()
        body = encode_item(ItemContent(external_id, parts))
        if len(body) > LARGEST_CONTENT:
            raise InvalidCommand(
                f"the content has {len(body)} bytes, at most {LARGEST_CONTENT}: put large files behind a url",
                {"field": "content"},
            )
        digest = self._place.engine.digest(body)
        return item, external, digest, ContentChange(content.item(item), body)

    def _gold(self, purpose: Purpose, values: Mapping[str, types_pb2.Value]) -> Answer:
        if (purpose in WITH_KNOWN_ANSWER) != bool(values):
            name = purpose.name.lower()
            advice = (
                f"a {name} task needs its known answer: give gold for every field"
                if not values
                else f"a {name} task has no known answer: leave gold out, or give the purpose gold"
            )
            raise InvalidCommand(advice, {"field": "gold"})
        if not values:
            return ()
        try:
            answer = self._place.schema.answer_of(values)
            full_answer(self._place.state, answer)
        except InvalidCommand as error:
            field = error.details.get("field", "").removeprefix("answers.")
            raise type(error)(error.message, {"field": f"gold.{field}"}) from error
        return answer

    def _requirement(self, message: tasks_pb2.NewItem) -> Requirement:
        if not message.HasField("requirement"):
            return Requirement()
        requirement = requirement_of(message.requirement, "requirement")
        for pool in requirement.pools:
            if pool not in self._organisation.pools:
                raise _missing(Kind.POOL, pool, "requirement.pool_ids")
        for vendor in requirement.vendors:
            if vendor not in self._organisation.vendors:
                raise _missing(Kind.VENDOR, vendor, "requirement.vendor_ids")
        return requirement

    def _workers(self, texts: object, field: str) -> tuple[Id, ...]:
        workers = ids_of(Kind.WORKER, texts, field)  # type: ignore[arg-type]  # a repeated field of texts
        if len(workers) > MOST_LISTED:
            raise InvalidCommand(
                f"{field} names {len(workers)} workers; at most {MOST_LISTED}", {"field": field}
            )
        for worker in workers:
            if worker not in self._organisation.workers:
                raise _missing(Kind.WORKER, worker, field)
        return workers


def _missing(kind: Kind, identity: Id, field: str) -> NotFound:
    return NotFound(f"no {kind.name.lower()} {to_text(kind, identity)}: add it first", {"field": field})
