"""Files of items: rows that are sound are added, the others told with their numbers, nothing is doubled."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable

import pytest
from tests.support.operations import Office, refusal

from crowdroute.api.v1 import projects_pb2
from crowdroute.api.v1 import tasks_pb2 as wire
from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.rpc.operations.items import ROWS_AT_ONCE

CSV, JSONL = wire.ITEMS_FORMAT_CSV, wire.ITEMS_FORMAT_JSONL


async def pieces(
    header: wire.ImportHeader, chunks: Iterable[bytes]
) -> AsyncIterator[wire.ImportItemsRequest]:
    yield wire.ImportItemsRequest(header=header)
    for chunk in chunks:
        yield wire.ImportItemsRequest(chunk=chunk)


async def load(
    office: Office, project: projects_pb2.Project, file: bytes, size: int = 1 << 16, **header: object
) -> wire.ImportItemsResponse:
    """Import a file in pieces of a size."""
    given = {"project_id": project.id, "format": CSV, **header}
    chunks = [file[begin : begin + size] for begin in range(0, len(file), size)]
    head = wire.ImportHeader(**given)  # type: ignore[arg-type]
    return await office.admin.operations.ImportItems(pieces(head, chunks))


async def tasks_of(office: Office, project: projects_pb2.Project) -> dict[str, wire.Task]:
    """Give all tasks by the external ids of their items."""
    request = wire.ListTasksRequest(project_id=project.id, page_size=1000)
    listed = await office.admin.operations.ListTasks(request)
    return {task.external_id: task for task in listed.tasks}


async def content_of(office: Office, project: projects_pb2.Project, task: wire.Task) -> dict[str, str]:
    request = wire.GetTaskRequest(project_id=project.id, task_id=task.id, with_content=True)
    found = await office.admin.operations.GetTask(request)
    return {part.id: part.text or part.url for part in found.content}


TABLE = (
    b"\xef\xbb\xbfid,title,text\r\n"
    b'a,First,"one, with a comma"\r\n'
    b'b,"Second","two\nlines ""quoted"""\r\n'
    b"\r\n"
    b"c,Third,caf\xc3\xa9"
)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_a_csv_file_may_be_cut_anywhere(office: Office, size: int) -> None:
    project = await office.project()

    reply = await load(office, project, TABLE, size, batch="first")

    assert (reply.added, reply.known, reply.refused) == (3, 0, 0)
    tasks = await tasks_of(office, project)
    assert set(tasks) == {"a", "b", "c"}
    assert {task.batch for task in tasks.values()} == {"first"}
    assert await content_of(office, project, tasks["b"]) == {"title": "Second", "text": 'two\nlines "quoted"'}
    assert await content_of(office, project, tasks["c"]) == {"title": "Third", "text": "café"}


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_a_file_of_json_lines_may_be_cut_anywhere(office: Office, size: int) -> None:
    project = await office.project()
    lines = [
        {"id": "a", "text": "café"},
        {"id": 7, "picture": {"url": "https://example.org/7.png", "mime_type": "image/png"}},
        {"id": "c", "facts": {"size": 3}, "empty": "", "none": None},
    ]
    file = "\n".join(json.dumps(line) for line in lines).encode()

    reply = await load(office, project, file, size, format=JSONL)

    assert (reply.added, reply.refused) == (3, 0)
    tasks = await tasks_of(office, project)
    assert await content_of(office, project, tasks["7"]) == {"picture": "https://example.org/7.png"}
    assert await content_of(office, project, tasks["c"]) == {"facts": '{"size":3}'}


async def test_rows_that_are_not_sound_are_told_and_do_not_stop_the_others(office: Office) -> None:
    project = await office.project()
    file = b'id,text\na,good\n,nameless\nc\nd,\ne,\xff\xfe\nf,good too\nf,the same again\ng,"stray " quote"\n'

    reply = await load(office, project, file)

    assert (reply.added, reply.known, reply.refused) == (2, 1, 5)
    assert {one.row: one.problem.code for one in reply.refusals} == dict.fromkeys(
        (2, 3, 4, 5, 8), "INVALID_ARGUMENT"
    )
    assert all(one.problem.message for one in reply.refusals)
    assert set(await tasks_of(office, project)) == {"a", "f"}


async def test_json_lines_that_are_not_sound_are_told_by_line(office: Office) -> None:
    project = await office.project()
    file = b"\n".join(
        (
            b'{"id": "a", "text": "good"}',
            b"{not json",
            b"",
            b"[1, 2]",
            b'{"id": "e", "text": "\xff"}',
            b'{"id": "f", "text": "\\ud800"}',
            b"[" * 5000,
            b'{"id": "h", "text": "good"}',
        )
    )

    reply = await load(office, project, file, format=JSONL)

    assert reply.added == 2
    assert [one.row for one in reply.refusals] == [2, 4, 5, 6, 7]


async def test_a_repeated_import_adds_nothing_twice(office: Office) -> None:
    project = await office.project()
    first = await load(office, project, TABLE)
    before = dict(office.disk.contents)

    again = await load(office, project, TABLE + b"\r\nd,Fourth,new\r\n")

    assert (first.added, again.added, again.known) == (3, 1, 3)
    assert len(await tasks_of(office, project)) == 4
    assert len(office.disk.contents) == len(before) + 1
    assert before.items() <= office.disk.contents.items()


async def test_a_row_that_was_refused_leaves_its_external_id_free(office: Office) -> None:
    project = await office.project()
    file = b"id,text,truth\ng,wrong,horse\ng,right,cat\n"

    reply = await load(office, project, file, purpose=wire.PURPOSE_GOLD, gold_columns={"label": "truth"})

    assert (reply.added, reply.refused) == (1, 1)
    tasks = await tasks_of(office, project)
    assert await content_of(office, project, tasks["g"]) == {"text": "right"}


async def test_known_answers_are_imported_with_their_items(office: Office) -> None:
    project = await office.project()
    file = b"id,text,truth\ng1,one,cat\ng2,two,horse\ng3,three,\n"

    reply = await load(office, project, file, purpose=wire.PURPOSE_GOLD, gold_columns={"label": "truth"})

    assert (reply.added, reply.refused) == (1, 2)
    assert [(one.row, one.problem.code) for one in reply.refusals] == [
        (2, "UNKNOWN_LABEL"),
        (3, "UNKNOWN_LABEL"),
    ]
    task = (await tasks_of(office, project))["g1"]
    assert task.purpose == wire.PURPOSE_GOLD
    assert task.gold["label"].label == "cat"
    assert set(await content_of(office, project, task)) == {"text"}


async def test_the_header_chooses_columns(office: Office) -> None:
    project = await office.project()
    file = b"key,text,note\na,look,private\n"

    await load(office, project, file, external_id_column="key", content_columns=["text"])

    task = (await tasks_of(office, project))["a"]
    assert await content_of(office, project, task) == {"text": "look"}


async def test_a_large_file_goes_in_several_commands(office: Office) -> None:
    project = await office.project()
    count = 2 * ROWS_AT_ONCE + 10
    rows = "".join(f"row-{number},text {number}\n" for number in range(count))

    reply = await load(office, project, f"id,text\n{rows}".encode())

    assert (reply.added, reply.refused) == (count, 0)
    imports = [entry for entry in await entries(office) if entry == "AddTasks"]
    assert len(imports) == 3


async def entries(office: Office) -> list[str]:
    """Give the commands that the log names as causes."""
    stored = await office.engine.log.read_some(0, 1 << 30)
    return [entry.cause.command for one in stored for entry in decode_batch(one.body, one.sequence).entries]


async def test_only_the_first_refusals_are_told(office: Office) -> None:
    project = await office.project()
    file = b"id,text\n" + b",nameless\n" * 150

    reply = await load(office, project, file)

    assert reply.refused == 150
    assert [one.row for one in reply.refusals] == list(range(1, 101))


async def test_a_file_without_rows_adds_nothing(office: Office) -> None:
    project = await office.project()

    for file in (b"", b"id,text\n"):
        reply = await load(office, project, file)
        assert reply == wire.ImportItemsResponse()


async def test_a_quote_that_never_ends_is_found_and_what_came_before_stays(office: Office) -> None:
    project = await office.project()
    rows = b"".join(b"row-%d,text\n" % number for number in range(ROWS_AT_ONCE))
    file = b"id,text\n" + rows + b'z,"never ends\n' + b"x" * (2 << 20)

    refused = await refusal(load(office, project, file))

    assert refused.code == "INVALID_ARGUMENT"
    assert refused.details["record"] == str(ROWS_AT_ONCE + 2)
    assert len(await tasks_of(office, project)) == ROWS_AT_ONCE


HEADERS = [
    ({"format": 0}, b"id,text\n", "format"),
    ({}, b"key,text\na,b\n", "chunk"),
    ({"content_columns": ["picture"]}, b"id,text\na,b\n", "chunk"),
    ({}, b"id,text,text\na,b,c\n", "chunk"),
    ({"gold_columns": {"label": "text"}}, b"id,text\n", "gold_columns"),
    ({"purpose": wire.PURPOSE_GOLD}, b"id,text\n", "gold_columns"),
]


@pytest.mark.parametrize(("header", "file", "field"), HEADERS)
async def test_a_header_that_cannot_be_right_refuses_the_file(
    office: Office, header: dict[str, object], file: bytes, field: str
) -> None:
    project = await office.project()

    refused = await refusal(load(office, project, file, **header))

    assert refused.code == "INVALID_ARGUMENT"
    assert refused.details["field"] == field


async def test_messages_out_of_order_are_refused(office: Office) -> None:
    project = await office.project()
    header = wire.ImportItemsRequest(header=wire.ImportHeader(project_id=project.id, format=CSV))
    chunk = wire.ImportItemsRequest(chunk=b"id,text\n")

    async def sent(*messages: wire.ImportItemsRequest) -> AsyncIterator[wire.ImportItemsRequest]:
        for message in messages:
            yield message

    for messages in ((), (chunk,), (header, header), (header, wire.ImportItemsRequest())):
        refused = await refusal(office.admin.operations.ImportItems(sent(*messages)))
        assert refused.code == "INVALID_ARGUMENT"
