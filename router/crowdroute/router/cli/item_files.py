"""Items to import, read from CSV or JSON lines; every problem is told with file and line.

Known columns (or keys): `external_id`, `purpose`, `gold`, `priority`, `deadline`, `batch`, `capability`,
`allow`, `deny`. Every other one is a part of the content, named by its column: an http(s) address is linked,
`@path` is a file beside the table that is taken in, anything else is text. JSON lines may hold the parts
ready made under `content`.
"""

from __future__ import annotations

import csv
import json
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crowdroute.router.errors import ConfigurationError

KNOWN = frozenset(
    {
        "external_id",
        "purpose",
        "gold",
        "priority",
        "deadline",
        "batch",
        "capability",
        "allow",
        "deny",
        "content",
    }
)
PURPOSES = ("production", "gold", "training", "qualification", "calibration")


class BadRow(ConfigurationError):
    """A row cannot be imported; the message names file and line."""

    code = "BAD_ROW"


@dataclass(frozen=True)
class ContentFile:
    """One part of an item's content."""

    id: str
    mime_type: str
    text: str = ""
    data: bytes = b""
    url: str = ""


@dataclass(frozen=True)
class ItemRow:
    """One item as the file describes it; worker names are external ids or ids."""

    where: str
    """File and line."""
    external_id: str
    parts: tuple[ContentFile, ...]
    purpose: str = "production"
    gold: Mapping[str, str] = field(default_factory=dict)
    """Field id -> label; the key is empty where the file names no field."""
    priority: int = 0
    deadline: datetime | None = None
    batch: str = ""
    capability: str = ""
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


def read_items(path: Path) -> Iterator[ItemRow]:
    """Yield the items of a `.csv` or `.jsonl` file in their order.

    Raises:
        BadRow: with file and line, at the first row that cannot be read.
    """
    if path.suffix == ".csv":
        yield from _read_csv(path)
    elif path.suffix in (".jsonl", ".ndjson"):
        yield from _read_json(path)
    else:
        raise BadRow(f"{path}: only .csv and .jsonl files can be imported")


def _read_csv(path: Path) -> Iterator[ItemRow]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, [])
            if "external_id" not in header:
                raise BadRow(f"{path}, line 1: the column external_id is missing; the columns are {header}")
            for cells in reader:
                where = f"{path}, line {reader.line_num}"
                if len(cells) != len(header):
                    raise BadRow(f"{where}: {len(cells)} cells, but the header has {len(header)}")
                values: dict[str, Any] = {
                    name: cell for name, cell in zip(header, cells, strict=True) if cell
                }
                for name in ("allow", "deny"):
                    if name in values:
                        values[name] = values[name].split()
                yield _row(values, where, path.parent)
        except csv.Error as error:
            raise BadRow(f"{path}, line {reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise BadRow(f"{path}, after line {reader.line_num}: not UTF-8 ({error.reason})") from error


def _read_json(path: Path) -> Iterator[ItemRow]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            where = f"{path}, line {number}"
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except (json.JSONDecodeError, UnicodeDecodeError) as error:
                raise BadRow(f"{where}: {error}") from error
            if not isinstance(values, dict):
                raise BadRow(f"{where}: an object is needed, with external_id and content")
            yield _row(values, where, path.parent)


def _row(values: dict[str, Any], where: str, folder: Path) -> ItemRow:
    external_id = str(values.get("external_id", "")).strip()
    if not external_id:
        raise BadRow(f"{where}: external_id is empty; it is what makes importing again safe")
    purpose = str(values.get("purpose", "gold" if "gold" in values else "production"))
    if purpose not in PURPOSES:
        raise BadRow(f"{where}: purpose {purpose!r} is not one of {', '.join(PURPOSES)}")
    gold = values.get("gold", {})
    parts = [_ready_part(part, where, folder) for part in values.get("content", ())]
    parts += [_part(name, str(value), where, folder) for name, value in values.items() if name not in KNOWN]
    if not parts:
        raise BadRow(
            f"{where}: there is no content; give a text, an address or an @file in a column of its own"
        )
    return ItemRow(
        where=where,
        external_id=external_id,
        parts=tuple(parts),
        purpose=purpose,
        gold={str(key): str(label) for key, label in gold.items()}
        if isinstance(gold, dict)
        else {"": str(gold)},
        priority=_number(values.get("priority", 0), where),
        deadline=_moment(values.get("deadline"), where),
        batch=str(values.get("batch", "")),
        capability=str(values.get("capability", "")),
        allow=tuple(map(str, values.get("allow", ()))),
        deny=tuple(map(str, values.get("deny", ()))),
    )


def _part(name: str, value: str, where: str, folder: Path) -> ContentFile:
    if value.startswith(("http://", "https://")):
        kind = mimetypes.guess_type(value.partition("?")[0])[0] or "application/octet-stream"
        return ContentFile(name, kind, url=value)
    if value.startswith("@"):
        file = folder / value[1:]
        if not file.is_file():
            raise BadRow(f"{where}: {name}: there is no file {file}")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return ContentFile(name, kind, data=file.read_bytes())
    return ContentFile(name, "text/plain", text=value)


def _ready_part(part: Any, where: str, folder: Path) -> ContentFile:
    if not isinstance(part, dict) or not part.get("id"):
        raise BadRow(f"{where}: a part of content needs an id and one of text, url and file")
    value = part.get("url") or ("@" + part["file"] if part.get("file") else part.get("text"))
    if not value:
        raise BadRow(f"{where}: part {part['id']!r} has neither text nor url nor file")
    read = _part(str(part["id"]), str(value), where, folder)
    if not part.get("mime_type"):
        return read
    return ContentFile(read.id, str(part["mime_type"]), read.text, read.data, read.url)


def _number(value: Any, where: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise BadRow(f"{where}: priority {value!r} is no whole number from 0 to 3") from None


def _moment(value: Any, where: str) -> datetime | None:
    if value in (None, ""):
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise BadRow(
            f"{where}: deadline {value!r} is no ISO 8601 moment such as 2026-03-01T12:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
