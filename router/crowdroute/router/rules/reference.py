"""The reference page of rules documents: every key, made from the JSON Schema.

`python -m crowdroute.router.rules.reference` prints it; `docs/rules.md` is what it printed.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from crowdroute.router.rules.describe import Notation
from crowdroute.router.rules.document import MOST_FIELDS, MOST_LABELS
from crowdroute.router.rules.schema import Schema, json_schema
from crowdroute.router.rules.source import MOST_BYTES
from crowdroute.router.rules.strict_yaml import MOST_VALUES

EXAMPLE = """\
schema: crowdroute.rules/v1
labels:
  - cat
  - dog
  - {id: neither, title: No cat and no dog}
quality:
  overlap: {minimum: 2, maximum: 5}
  stopping: {target: 0.97}
money:
  crowd: "0.02"
"""
"""The first document of the page."""

INTRODUCTION = f"""\
# Rules

<!-- Made by `python -m crowdroute.router.rules.reference`: change `rules/document.py`, then make it anew. -->

A project's rules are one YAML document. This one is complete; whatever it leaves out has the default below.

```yaml
{EXAMPLE}```

`crowdroute rules check` finds everything that is wrong with a document at once, with line and column. For
completion and checks while you type, point the editor at `docs/rules.schema.json`, as the documents in
`docs/examples/rules` do in their first line.

## How values are written

| kind | how | examples |
| --- | --- | --- |
| text, name | plain or in quotes; what looks like a number, `true` or `false` needs quotes | `cat`, `"1"` |
| whole number | plain digits | `5` |
| share | a number from 0 to 1, or a percentage | `0.05`, `5%` |
| duration | numbers with `d`, `h`, `m`, `s`, largest unit first; 1s to 366d | `45s`, `1h30m`, `7d` |
| amount | decimal digits in quotes, at most 6 decimals | `"0.05"` |
| true or false | exactly these words | `true` |

Nothing is guessed. Only plain decimal digits are numbers and only `true` and `false` are truth values: `yes`,
`no`, `on`, `off`, `1_000`, `017`, `12:30:45` and `2024-05-01` are text, refused where text cannot stand. Also
refused: a key given twice, a key without a value, `null`, anchors and aliases, tags, merge keys (`<<`),
several documents in one file, tabs in the indentation, more than {MOST_BYTES // 1024} KiB, and more than
{MOST_VALUES} values.

## How rules change

Each `rules apply` makes a new version; assignments keep the prices and the lease that they were granted with.

* Labels and fields are only ever added: their places are codes in the log. A label that the new document
  leaves out is marked as removed and takes no new answers; written again, it is back and means the same as
  before, so it cannot come back under another title. A field cannot be left out.
* The order in which known labels are written does not matter.
* A field has at most {MOST_LABELS} labels, removed ones included; a project has at most {MOST_FIELDS} fields.
* A project keeps its currency.

## Templates

`extends: standard@3` takes every key that the document leaves out from version 3 of the template `standard`.
Groups are merged key by key; lists, skills and plain values are taken whole. A template is itself such a
document, but cannot extend another. The version that is stored is the merged one.

## Keys
"""

_COLUMNS = ("key", "type", "unit", "default", "example", "meaning")


def write_reference() -> str:
    """Give the page as the text of a file."""
    schema = json_schema()
    parts = [INTRODUCTION]
    definitions = {"": schema, **schema["$defs"]}
    homes: dict[str, str] = {}
    for path, name in _groups("", "", definitions):
        homes.setdefault(name, path)
    for name, path in homes.items():
        group = definitions[name]
        heading = f"### `{path}`" if path else "### At the top"
        parts.append(f"{heading}\n\n{group['description']}\n\n{_table(group, definitions, homes)}")
    return "\n".join(parts)


def _groups(path: str, name: str, definitions: dict[str, Schema]) -> Iterator[tuple[str, str]]:
    """Yield path and name of every group, from the outside in."""
    yield path, name
    for key, node in definitions[name]["properties"].items():
        inner = _reference(node)
        if inner is not None:
            yield from _groups(_child(path, key, node), inner, definitions)


def _child(path: str, key: str, node: Schema) -> str:
    return f"{path}.{key}".removeprefix(".") + ("[]" if node.get("type") == "array" else "")


def _reference(node: Schema) -> str | None:
    """Give the name of the group that a key holds, or a list of which it holds."""
    items = node.get("items", {})
    for candidate in (node, items, *items.get("anyOf", ())):
        if "$ref" in candidate:
            return str(candidate["$ref"]).rpartition("/")[2]
    return None


def _table(group: Schema, definitions: dict[str, Schema], homes: dict[str, str]) -> str:
    rows = [_COLUMNS, ("---",) * len(_COLUMNS)]
    for key, node in group["properties"].items():
        inner = _reference(node)
        examples = node.get("examples", [])
        default = "required" if key in group.get("required", ()) else ""
        if "default" in node:
            default = _value(node["default"])
        description = node.get("description") or definitions[inner or ""]["description"]
        meaning = " ".join(description.split())  # a row of a table is one line
        example = _value(examples[0]) if examples else ""
        kind = _kind(node) if inner is None else _link(node, homes[inner])
        rows.append((f"`{key}`", kind, node.get("x-unit", ""), default, example, meaning))
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows) + "\n"


def _link(node: Schema, home: str) -> str:
    return f"{'list' if node.get('type') == 'array' else 'group'}, see `{home}`"


def _kind(node: Schema) -> str:
    if "x-type" in node:
        return str(node["x-type"])
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return " or ".join(f"`{choice}`" for choice in node["enum"])
    match node["type"]:
        case "integer":
            return f"whole number, {node['minimum']} to {node['maximum']}"
        case "boolean":
            return "true or false"
        case "array":
            return f"list of {node['items']['x-type']}s"
        case _:
            return f"names, each with a {node['additionalProperties']['x-type']}"


def _value(value: object) -> str:
    written = yaml.dump(value, Dumper=Notation, default_flow_style=True, allow_unicode=True)
    return f"`{written.removesuffix('...' + chr(10)).strip()}`"


if __name__ == "__main__":
    print(write_reference(), end="")
