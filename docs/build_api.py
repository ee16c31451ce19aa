"""Writes docs/api.md, the reference of the gRPC API, from the comments in proto/crowdroute/api/v1.

    python docs/build_api.py

What the reference says of a call, a message or a field is its comment in the schema; the scopes of the calls
come from the table that the server checks them by.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from grpc_tools import protoc

from crowdroute.router.rpc.scopes import SCOPES

REPOSITORY = Path(__file__).resolve().parent.parent
SCHEMA = REPOSITORY / "proto"
REFERENCE = REPOSITORY / "docs" / "api.md"

PACKAGE = "crowdroute.api.v1"

HEAD = f"""# API reference

<!-- Made by `python docs/build_api.py`: change the comments of the schema, then make it anew. -->

The package `{PACKAGE}`, call by call and message by message. The schema itself is in
[proto/crowdroute/api/v1](../proto/crowdroute/api/v1). How a front-end uses it is in
[front-ends.md](front-ends.md), and what every error code means in [operations.md](operations.md#error-codes).
"""

_SCALARS = {number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()}

# Field numbers of descriptor.proto: a comment is found by the path of such numbers that leads to its subject.
_FILE_MESSAGES, _FILE_ENUMS, _FILE_SERVICES = 4, 5, 6
_FIELDS, _NESTED_MESSAGES, _NESTED_ENUMS = 2, 3, 4
_VALUES = 2
_METHODS = 2

Place = tuple[int, ...]


class MissingComment(Exception):
    """Something in the schema has no comment; the message names it."""


class Comments:
    """The comments of one file, by the place of their subject."""

    def __init__(self, file: FileDescriptorProto) -> None:
        """Collect them."""
        self._file = file.name
        self._leading: dict[Place, str] = {}
        self.about = ""
        """What the file says of itself, before its first declaration."""
        for location in sorted(file.source_code_info.location, key=lambda one: tuple(one.span)):
            if location.leading_comments:
                self._leading[tuple(location.path)] = location.leading_comments
            if location.leading_detached_comments and not self.about:
                self.about = "\n\n".join(map(_paragraphs, location.leading_detached_comments))

    def of(self, place: Place, name: str) -> str:
        """Give what is said of the subject at a place.

        Raises:
            MissingComment: nothing is.
        """
        if place not in self._leading:
            raise MissingComment(f"{self._file}: {name} has no comment: write one above it")
        return _paragraphs(self._leading[place])


def _paragraphs(comment: str) -> str:
    """Give a comment without the space that follows its slashes."""
    return "\n".join(line.removeprefix(" ").rstrip() for line in comment.strip("\n").split("\n"))


def _cell(text: str) -> str:
    """Give a text as one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def read_schema() -> list[FileDescriptorProto]:
    """Compile the schema, comments included; the files with services come first.

    Raises:
        OSError: it does not compile; protoc has told why.
    """
    sources = sorted((SCHEMA / "crowdroute" / "api" / "v1").glob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "schema"
        status = protoc.main(
            [
                "protoc",
                f"-I{SCHEMA}",
                f"-I{files('grpc_tools') / '_proto'}",
                "--include_source_info",
                f"--descriptor_set_out={compiled}",
                *map(str, sources),
            ]
        )
        if status:
            raise OSError(f"protoc ended with status {status}")
        described = FileDescriptorSet.FromString(compiled.read_bytes())
    return sorted(described.file, key=lambda file: (not file.service, file.name))


def write_reference() -> str:
    """Write the whole reference."""
    parts = [HEAD]
    schema = read_schema()
    parts.append(_contents(schema))
    for file in schema:
        parts += _file(file)
    return "\n".join(parts)


def _contents(schema: list[FileDescriptorProto]) -> str:
    lines = ["| file | what is in it |", "| --- | --- |"]
    for file in schema:
        about = file.service[0].name if file.service else ""
        names = [about] if about else [message.name for message in file.message_type]
        names += [enum.name for enum in file.enum_type]
        title = _title(file)
        lines.append(f"| [{title}](#{_anchor(title)}) | {', '.join(map(_link, names))} |")
    return "\n".join(lines) + "\n"


def _title(file: FileDescriptorProto) -> str:
    return file.name.rpartition("/")[2]


def _anchor(title: str) -> str:
    """Give the fragment by which a heading is linked to."""
    return "".join(sign for sign in title.lower() if sign.isalnum() or sign in "-_ ").replace(" ", "-")


def _link(name: str) -> str:
    return f"[{name}](#{_anchor(name)})"


def _file(file: FileDescriptorProto) -> Iterator[str]:
    comments = Comments(file)
    yield f"## {_title(file)}\n"
    if comments.about:
        yield comments.about + "\n"
    for place, service in enumerate(file.service):
        yield from _service(service, comments, (_FILE_SERVICES, place))
    for place, message in enumerate(file.message_type):
        yield from _message(message, comments, (_FILE_MESSAGES, place), "")
    for place, enum in enumerate(file.enum_type):
        yield _enum(enum, comments, (_FILE_ENUMS, place), "")


def _service(service: ServiceDescriptorProto, comments: Comments, place: Place) -> Iterator[str]:
    yield f"### {service.name}\n"
    yield comments.of(place, service.name) + "\n"
    lines = ["| call | takes | gives | scope | what it does |", "| --- | --- | --- | --- | --- |"]
    for number, method in enumerate(service.method):
        name = f"{service.name}.{method.name}"
        takes = _stream(method.input_type, method.client_streaming)
        gives = _stream(method.output_type, method.server_streaming)
        scope = SCOPES[f"/{PACKAGE}.{service.name}/{method.name}"].value
        said = _cell(comments.of((*place, _METHODS, number), name))
        lines.append(f"| `{method.name}` | {takes} | {gives} | `{scope}` | {said} |")
    yield "\n".join(lines) + "\n"


def _stream(type_name: str, many: bool) -> str:
    return ("stream of " if many else "") + _named(type_name)


def _named(type_name: str) -> str:
    """Link to a type of ours; name one of protobuf's own."""
    short = type_name.removeprefix(f".{PACKAGE}.")
    return f"`{type_name.rpartition('.')[2]}`" if short == type_name else _link(short)


class _Entry(NamedTuple):
    """Types of key and value of a map."""

    key: str
    value: str


def _message(message: DescriptorProto, comments: Comments, place: Place, outer: str) -> Iterator[str]:
    name = outer + message.name
    yield f"### {name}\n"
    yield comments.of(place, name) + "\n"
    maps = {
        f".{PACKAGE}.{name}.{entry.name}": _Entry(*map(_type, entry.field))
        for entry in message.nested_type
        if entry.options.map_entry
    }
    if message.field:
        lines = ["| field | type | meaning |", "| --- | --- | --- |"]
        for number, field in enumerate(message.field):
            said = _cell(comments.of((*place, _FIELDS, number), f"{name}.{field.name}"))
            if field.HasField("oneof_index") and not field.proto3_optional:
                said = f"*One of `{message.oneof_decl[field.oneof_index].name}`.* {said}"
            lines.append(f"| `{field.name}` | {_field_type(field, maps)} | {said} |")
        yield "\n".join(lines) + "\n"
    for number, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from _message(nested, comments, (*place, _NESTED_MESSAGES, number), f"{name}.")
    for number, enum in enumerate(message.enum_type):
        yield _enum(enum, comments, (*place, _NESTED_ENUMS, number), f"{name}.")


def _field_type(field: FieldDescriptorProto, maps: Mapping[str, _Entry]) -> str:
    if field.type_name in maps:
        entry = maps[field.type_name]
        return f"map of {entry.key} to {entry.value}"
    many = field.label == FieldDescriptorProto.LABEL_REPEATED
    return ("list of " if many else "") + _type(field)


def _type(field: FieldDescriptorProto) -> str:
    return _named(field.type_name) if field.type_name else f"`{_SCALARS[field.type]}`"


def _enum(enum: EnumDescriptorProto, comments: Comments, place: Place, outer: str) -> str:
    name = outer + enum.name
    lines = [f"### {name}\n", comments.of(place, name) + "\n", "| value | meaning |", "| --- | --- |"]
    for number, value in enumerate(enum.value):
        said = _cell(comments.of((*place, _VALUES, number), f"{name}.{value.name}"))
        lines.append(f"| `{value.name}` | {said} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    REFERENCE.write_text(write_reference(), encoding="utf-8")
