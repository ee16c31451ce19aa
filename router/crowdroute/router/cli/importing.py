"""`crowdroute import`: bring items into a project from a file; doing it again doubles nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from crowdroute.api.v1 import projects_pb2, tasks_pb2, types_pb2, workers_pb2
from crowdroute.client import Client, NotConnected, Refused
from crowdroute.router.cli.item_files import BadRow, ItemRow, count_items, read_items
from crowdroute.router.cli.output import console, print_json, progress
from crowdroute.router.cli.paging import pages
from crowdroute.router.cli.target import (
    DEFAULT_ADDRESS,
    Address,
    AsJson,
    ProjectName,
    TokenFile,
    connect,
    find_project,
)

ROWS = 500
"""Items per call."""

CHUNK_BYTES = 1 << 20
"""Content per call: a quarter of what the engine takes in one message unless it was told otherwise."""

TIMEOUT_S = 60.0


def import_items(
    project: ProjectName,
    file: Annotated[Path, typer.Argument(help="A .csv or .jsonl file.", exists=True, dir_okay=False)],
    batch: Annotated[str, typer.Option(help="Name of the batch, for rows that name none.")] = "",
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Import items as tasks. Rows whose external_id is known are left alone, so an interrupted import is
    simply run again.

    Columns: external_id, purpose, gold, priority, deadline, batch, capability, allow, deny; all others are
    content.

    Example: crowdroute import birds birds.csv
    """
    total = count_items(file)  # the whole file is read once before anything is sent
    added = known = 0
    with connect(address, token_file) as client, progress() as bar:
        found = find_project(client, project)
        workers = _Workers(client)
        task = bar.add_task(f"importing into {found.name}", total=total)
        try:
            for rows in _chunks(read_items(file)):
                request = tasks_pb2.AddItemsRequest(project_id=found.id)
                request.items.extend(_item(row, found, workers, batch) for row in rows)
                for one in _add(client, request, rows).items:
                    known += one.known
                    added += not one.known
                bar.advance(task, len(rows))
        except (KeyboardInterrupt, NotConnected):
            told = f"{added + known} of {total} rows are in; import the file again for the rest"
            typer.echo(told, err=True)
            raise
    if as_json:
        print_json({"rows": total, "added": added, "known": known})
    else:
        console().print(f"{found.name}: {added} added, {known} known already")


def _chunks(rows: Iterator[ItemRow]) -> Iterator[list[ItemRow]]:
    chunk: list[ItemRow] = []
    size = 0
    for row in rows:
        if chunk and (len(chunk) == ROWS or size + row.size > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += row.size
    if chunk:
        yield chunk


def _add(
    client: Client, request: tasks_pb2.AddItemsRequest, rows: list[ItemRow]
) -> tasks_pb2.AddItemsResponse:
    """Add the items of some rows, all or none.

    Raises:
        Refused: one of them is not sound; the message tells file and line.
    """
    try:
        added: tasks_pb2.AddItemsResponse = client.operations.AddItems(request, timeout=TIMEOUT_S)
    except Refused as error:
        place = error.details.get("row", "")
        where = rows[int(place)].where if place else rows[0].where
        what = error.message.removeprefix(f"items[{place}]: ")
        message = (
            f"{where}: {what}; nothing from {rows[0].where} on was imported: mend the file, import it again"
        )
        raise Refused(error.code, message, error.details, error.status) from error
    return added


class _Workers:
    """Ids of workers by external id, looked up once and only when a list names one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ids: dict[str, str] | None = None

    def ids(self, names: tuple[str, ...], where: str) -> list[str]:
        """Give the ids of the workers with these names."""
        return [name if name.startswith("wrk_") else self._find(name, where) for name in names]

    def _find(self, name: str, where: str) -> str:
        if self._ids is None:
            self._ids = {
                worker.external_id: worker.id
                for page in pages(self._client.operations.ListWorkers, workers_pb2.ListWorkersRequest())
                for worker in page.workers
            }
        if name not in self._ids:
            raise BadRow(f"{where}: no worker is called {name!r}; add the worker first or use an id (wrk_…)")
        return self._ids[name]


def _item(row: ItemRow, project: projects_pb2.Project, workers: _Workers, batch: str) -> tasks_pb2.NewItem:
    item = tasks_pb2.NewItem(
        external_id=row.external_id,
        purpose=f"PURPOSE_{row.purpose.upper()}",
        batch=row.batch or batch,
        priority=row.priority,
        capability=row.capability,
        allowed_worker_ids=workers.ids(row.allow, row.where),
        denied_worker_ids=workers.ids(row.deny, row.where),
    )
    for part in row.parts:
        body = {"url": part.url} if part.url else {"data": part.data} if part.data else {"text": part.text}
        item.content.add(id=part.id, mime_type=part.mime_type, **body)
    if row.deadline is not None:
        item.deadline.FromDatetime(row.deadline)
    for field, label in row.gold.items():
        if not field and len(project.fields) != 1:
            names = ", ".join(one.id for one in project.fields)
            raise BadRow(f"{row.where}: gold needs a label for each of the fields {names}")
        item.gold[field or project.fields[0].id].CopyFrom(types_pb2.Value(label=label))
    return item
