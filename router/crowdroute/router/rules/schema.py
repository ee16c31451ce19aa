"""The JSON Schema of rules documents (draft 2020-12), for editors and other programs.

It says less than the compiler: that an overlap's minimum is below its maximum, or that a pool exists, no
schema can tell.
"""

from __future__ import annotations

import json
from typing import Any

from crowdroute.router.rules.document import SCHEMA, Document
from crowdroute.router.rules.outline import fields_of, group_of, sections

Schema = dict[str, Any]


def json_schema() -> Schema:
    """Give the schema as plain values."""
    schema: Schema = Document.model_json_schema(by_alias=True)
    groups: dict[str, Schema] = {"Document": schema, **schema["$defs"]}
    for section in sections():
        defaults = section.model_construct().model_dump(mode="json", by_alias=True, warnings=False)
        properties = groups[section.__name__]["properties"]
        for key, field in fields_of(section).items():
            node = properties[key] = _plain(properties[key])
            if "default" in node:
                node["default"] = defaults[key]
            if group_of(field) or node.get("default", ()) is None:
                node.pop("default", None)
    for node in (groups["Question"]["properties"]["labels"], schema["properties"]["labels"]):
        node["items"] = {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 128}, node["items"]]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('.', ':').replace('/', ':')}",
        **schema,
        "anyOf": [{"required": [key]} for key in ("labels", "fields", "extends")],
        "not": {"required": ["labels", "fields"]},
    }


def write_schema() -> str:
    """Give the schema as the text of a file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _plain(node: Schema) -> Schema:
    """Drop titles made of the key, and the null of a key that may be left out: written, it is refused."""
    node = {name: value for name, value in node.items() if name != "title"}
    choices = node.get("anyOf", [])
    if {"type": "null"} in choices:
        del node["anyOf"]
        node = {**next(choice for choice in choices if choice != {"type": "null"}), **node}
    return node


if __name__ == "__main__":
    print(write_schema(), end="")
