"""The schema: every message survives the wire, the stubs are those of the schema, and no call is missing."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc

import crowdroute.api.v1 as api

SCHEMA = Path(__file__).parents[3] / "proto"
FILES = sorted((SCHEMA / "crowdroute" / "api" / "v1").glob("*.proto"))
PACKAGE = api.__name__


def stub(file: Path) -> FileDescriptor:
    descriptor: FileDescriptor = importlib.import_module(f"{PACKAGE}.{file.stem}_pb2").DESCRIPTOR
    return descriptor


def all_messages() -> list[Descriptor]:
    waiting = [message for file in FILES for message in stub(file).message_types_by_name.values()]
    found = []
    while waiting:
        message = waiting.pop()
        waiting.extend(message.nested_types)
        if not message.GetOptions().map_entry:
            found.append(message)
    return sorted(found, key=lambda message: message.full_name)


MESSAGES = all_messages()

INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: 2**31 - 1,
    FieldDescriptor.CPPTYPE_INT64: 2**63 - 1,
    FieldDescriptor.CPPTYPE_UINT32: 2**32 - 1,
    FieldDescriptor.CPPTYPE_UINT64: 2**64 - 1,
    FieldDescriptor.CPPTYPE_DOUBLE: 0.1,
    FieldDescriptor.CPPTYPE_FLOAT: 0.5,
    FieldDescriptor.CPPTYPE_BOOL: True,
}


def scalar(field: FieldDescriptor) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values[-1].number
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes(range(256))
    if field.type == FieldDescriptor.TYPE_STRING:
        return "Zoë 🦉\n"
    return INTEGERS[field.cpp_type]


def filled(message: Descriptor, member: FieldDescriptor | None = None, depth: int = 0) -> Message:
    """Give a message with something in every field; of a oneof, in `member` or else in its first field."""
    made: Message = GetMessageClass(message)()
    if message.full_name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        made.seconds, made.nanos = 1_700_000_000, 123_456_789  # type: ignore[attr-defined]  # all have them
        return made
    if message.full_name == "google.protobuf.FieldMask":
        made.paths.extend(["pool_id", "stages"])  # type: ignore[attr-defined]  # names of fields alone
        return made
    if message.full_name == "google.protobuf.Any":
        made.Pack(Duration(seconds=1))  # type: ignore[attr-defined]  # what this one is for
        return made
    for field in message.fields:
        one_of = field.containing_oneof
        if one_of is not None and field is not (member if member in one_of.fields else one_of.fields[0]):
            continue
        if depth > 4:
            continue
        _fill(made, field, depth)
    return made


def _fill(made: Message, field: FieldDescriptor, depth: int) -> None:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        key, value = inner.fields_by_name["key"], inner.fields_by_name["value"]
        assert key.type == FieldDescriptor.TYPE_STRING
        if value.message_type is None:
            getattr(made, field.name)["Zoë"] = scalar(value)
        else:
            getattr(made, field.name)["Zoë"].CopyFrom(filled(value.message_type, depth=depth + 1))
    elif field.is_repeated:
        some = scalar(field) if inner is None else filled(inner, depth=depth + 1)
        getattr(made, field.name).extend([some, some])
    elif inner is not None:
        getattr(made, field.name).CopyFrom(filled(inner, depth=depth + 1))
    else:
        setattr(made, field.name, scalar(field))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.full_name)
def test_a_message_survives_the_wire(message: Descriptor) -> None:
    members = [field for one_of in message.oneofs for field in one_of.fields]
    for member in members or [None]:
        whole = filled(message, member)
        kind = type(whole)
        assert kind.FromString(whole.SerializeToString()) == whole
        assert json_format.Parse(json_format.MessageToJson(whole), kind()) == whole
        there = {field.name for field, _ in whole.ListFields()}
        left_out = {one.name for one in members if member is not None and one is not member}
        assert {field.name for field in message.fields} - there <= left_out
        if member is not None:
            assert member.name in there


def test_the_stubs_are_those_of_the_schema(tmp_path: Path) -> None:
    out = tmp_path / "schema"
    include = importlib.import_module("grpc_tools").__path__[0] + "/_proto"
    arguments = ["protoc", f"-I{SCHEMA}", f"-I{include}", f"--descriptor_set_out={out}", *map(str, FILES)]
    assert protoc.main(arguments) == 0
    compiled = {file.name: file for file in FileDescriptorSet.FromString(out.read_bytes()).file}
    for file in FILES:
        committed = FileDescriptorProto()
        stub(file).CopyToProto(committed)
        _forget_json_names(compiled[committed.name])
        assert committed == compiled[committed.name], f"run `make proto`: {file.name} has changed"


def _forget_json_names(file: FileDescriptorProto) -> None:
    """Take out what the compiler derives anew and stubs leave out."""
    waiting = list(file.message_type)
    while waiting:
        message = waiting.pop()
        waiting.extend(message.nested_type)
        for field in message.field:
            field.ClearField("json_name")


def test_every_call_that_was_promised_is_there() -> None:
    promised = {
        "AnnotationService": """
            Next Resume Submit Amend Withdraw SaveDraft Skip ReportProblem Extend Release GetGuideline Work
        """,
        "OperationsService": """
            CreateProject GetProject ListProjects PauseProject ResumeProject RefitProject GetStats
            CheckRules ApplyRules GetRules ListRulesVersions
            AddItems ImportItems EraseItem GetTask ListTasks CancelTask ReopenTask EscalateTask
            ListAnnotations RequestReview RevokeLease
            GetResult ListResults ExportResults CorrectResult
            UpsertWorker GetWorker ListWorkers SetWorkerStatus ListWorkerRecords DiscountWorker ErasePerson
            AddVendor ListVendors AddPool ListPools
            IssueToken ListTokens RevokeToken CreateWorkerSession
            ListBalances ListEntries ExplainTask ExplainAssignment Watch VerifyLog BackupLog
        """,
        "VendorService": "ListOpenProjects UpsertWorkers ListVendorWorkers GetStatement",
    }
    there = {
        name: {method.name for method in service.methods}
        for file in FILES
        for name, service in stub(file).services_by_name.items()
    }
    for service, calls in promised.items():
        assert set(calls.split()) <= there[service]
