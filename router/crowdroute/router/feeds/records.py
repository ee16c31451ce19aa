"""What stands in the topics that others write and read: the models their JSON Schemas are generated from."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crowdroute.api.v1 import tasks_pb2, types_pb2
from crowdroute.router.errors import InvalidCommand, RouterError

LARGEST_KEPT = 4 << 20
"""Bytes of a refused record that its dead letter repeats: as Base64 they fit a record of 8 MiB."""

LONGEST_REASON = 1000
"""Characters of a dead letter's reason: a validation error may repeat what it refuses."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PartRecord(_Record):
    """One part of what there is to look at: a text, or the address of a picture or document."""

    text: str | None = None
    url: str | None = None
    mime_type: str = ""
    language: str = ""


class TaskRecord(_Record):
    """One item and the task to open on it, as `crowdroute.tasks` takes it."""

    project: Annotated[str, Field(min_length=1, max_length=200)]
    """Name of the project."""
    external_id: Annotated[str, Field(min_length=1, max_length=200)]
    """The producer's own name for the item, unique in the project: one that is known adds nothing."""
    content: Annotated[dict[str, str | PartRecord], Field(min_length=1, max_length=64)]
    """Parts by name; a bare text is a part of plain text."""
    purpose: Literal["production", "gold", "training", "qualification"] = "production"
    gold: dict[str, str] = {}
    """The known label of each field, for every purpose but production."""
    batch: Annotated[str, Field(max_length=200)] = ""
    priority: Annotated[int, Field(ge=0, le=3)] = 0
    """3 goes first."""


class DeadLetter(_Record):
    """A record that was refused, with why and where it stood, as `crowdroute.dead-letter` gives it."""

    topic: str
    partition: int
    offset: int
    """Where the record stood; a letter may come twice, and these three tell that it is the same."""
    code: str
    """Stable code of the refusal."""
    reason: str
    field: str
    """What the refusal is about; may be empty."""
    key: str | None
    """The record's key in Base64; null when it had none."""
    value: str | None
    """The record's bytes in Base64; null when it had none, or more than 4 MiB."""


def task_of(value: bytes | None) -> TaskRecord:
    """Read one record.

    Raises:
        InvalidCommand: it is not JSON, or not as the schema wants it.
    """
    if value is None:
        raise InvalidCommand("the record has no value", {"field": "value"})
    try:
        return TaskRecord.model_validate_json(value)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, problem["loc"]))
        raise InvalidCommand(
            f"{field or 'the record'}: {problem['msg']}", {"field": field or "value"}
        ) from None


def item_of(task: TaskRecord) -> tasks_pb2.NewItem:
    """Give the item that a record describes, as AddItems takes it."""
    return tasks_pb2.NewItem(
        external_id=task.external_id,
        content=[_part(name, part) for name, part in task.content.items()],
        purpose=tasks_pb2.NewItem(purpose=f"PURPOSE_{task.purpose.upper()}").purpose,
        batch=task.batch,
        priority=task.priority,
        gold={field: types_pb2.Value(label=label) for field, label in task.gold.items()},
    )


def _part(name: str, part: str | PartRecord) -> types_pb2.ContentPart:
    if isinstance(part, str):
        return types_pb2.ContentPart(id=name, mime_type="text/plain", text=part)
    if (part.text is None) == (part.url is None):
        raise InvalidCommand(f"part {name!r} needs text or url, and not both", {"field": f"content.{name}"})
    return types_pb2.ContentPart(
        id=name, mime_type=part.mime_type, language=part.language, text=part.text, url=part.url
    )


def dead_letter(
    place: tuple[str, int, int], key: bytes | None, value: bytes | None, error: RouterError
) -> bytes:
    """Give the letter about a refused record.

    Args:
        place: topic, partition and offset.
        key: of the record.
        value: of the record.
        error: why it was refused.
    """
    kept = value if value is not None and len(value) <= LARGEST_KEPT else None
    topic, partition, offset = place
    letter = DeadLetter(
        topic=topic,
        partition=partition,
        offset=offset,
        code=error.code,
        reason=error.message[:LONGEST_REASON],
        field=error.details.get("field", ""),
        key=_base64(key if key is None or len(key) <= LARGEST_KEPT // 4 else None),
        value=_base64(kept),
    )
    return letter.model_dump_json().encode()


def _base64(raw: bytes | None) -> str | None:
    return None if raw is None else b64encode(raw).decode()


def schema_of(record: type[BaseModel]) -> str:
    """Give a model's JSON Schema as its published file has it."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **record.model_json_schema(),
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
