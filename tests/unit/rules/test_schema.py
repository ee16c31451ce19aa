"""What editors and readers are given is valid, complete, fresh, and agrees with the compiler."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.errors import RulesError
from crowdroute.router.rules.outline import fields_of, sections
from crowdroute.router.rules.reference import EXAMPLE, write_reference
from crowdroute.router.rules.references import References
from crowdroute.router.rules.schema import json_schema, write_schema
from crowdroute.router.rules.strict_yaml import read

REPOSITORY = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((REPOSITORY / "docs" / "examples" / "rules").glob("*.yaml"))
REFERENCES = References({"radiology-munich": bytes([1] * 16), "radiology-vienna": bytes([2] * 16)})
HEAD = "schema: crowdroute.rules/v1\n"


def plain(value: object) -> object:
    """Give a document as a reader of JSON would hold it."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


def accepts(text: str) -> bool:
    return bool(Draft202012Validator(json_schema()).is_valid(plain(read(text).value)))


def nodes(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for inner in schema.values():
            yield from nodes(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from nodes(inner)


def test_the_schema_is_one_of_draft_2020_12() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_the_committed_schema_and_reference_are_fresh() -> None:
    docs = REPOSITORY / "docs"
    assert (docs / "rules.schema.json").read_text() == write_schema(), (
        "run python -m crowdroute.router.rules.schema > docs/rules.schema.json"
    )
    assert (docs / "rules.md").read_text() == write_reference(), (
        "run python -m crowdroute.router.rules.reference > docs/rules.md"
    )


def test_every_key_is_explained_in_the_schema_and_stands_in_the_reference() -> None:
    page = write_reference()
    for section in sections():
        for key, field in fields_of(section).items():
            assert field.description or field.annotation in sections(), (section, key)
            assert f"| `{key}` |" in page


def test_every_row_of_the_reference_is_one_whole_line() -> None:
    rows = [line for line in write_reference().splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert [line for line in rows if line.count("|") != 7 or not line.endswith(" |")] == []


def test_every_default_and_example_in_the_schema_fits_the_schema() -> None:
    schema = json_schema()
    for node in nodes(schema):
        if "x-unit" not in node and "examples" not in node:
            continue
        own = Draft202012Validator({**node, "$defs": schema["$defs"]})
        for value in [*node.get("examples", ()), *([node["default"]] if "default" in node else ())]:
            assert own.is_valid(value), (node, value)


def test_the_defaults_of_the_schema_written_out_compile_to_the_defaults_of_the_core() -> None:
    definitions = json_schema()["$defs"]

    def written(group: str) -> dict[str, object]:
        properties = definitions[group]["properties"]
        return {
            key: node["default"] if "default" in node else written(node["$ref"].rpartition("/")[2])
            for key, node in properties.items()
        }

    sections_ = {name: written(name.title()) for name in ("routing", "quality", "people", "money")}
    text = json.dumps({"schema": "crowdroute.rules/v1", "labels": ["a", "b"], **sections_})
    rules = compile_rules(text, 1)
    assert rules == ProjectRules(1, rules.fields)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_compiles_and_fits_the_schema(path: Path) -> None:
    text = path.read_text()
    assert compile_rules(text, 1, None, REFERENCES).version == 1
    Draft202012Validator(json_schema()).validate(plain(read(text).value))
    pointer = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / pointer).resolve() == REPOSITORY / "docs" / "rules.schema.json"


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} == {"image-labels", "sentiment", "expert-escalation"}


def test_the_example_of_the_reference_compiles() -> None:
    assert compile_rules(EXAMPLE, 1).stopping.target == 0.97
    assert accepts(EXAMPLE)


@pytest.mark.parametrize(
    "rest",
    [
        "labels: [1, 2]",
        "labels: cat",
        "labels: [a, b]\nfields: [{id: f, labels: [a, b]}]",
        "fields: [{labels: [a, b]}]",
        "quality: {}",
        "labels: [a, b]\nlables: [a]",
        "labels: [a, b]\nguideline: 1.1",
        "labels: [a, b]\nrouting: {policy: best}",
        "labels: [a, b]\nrouting: {exploration: 1.1}",
        "labels: [a, b]\nrouting: {exploration: 110%}",
        "labels: [a, b]\nrouting: {window: 0}",
        "labels: [a, b]\nrouting: {lease: {duration: 10}}",
        "labels: [a, b]\nrouting: {lease: {attempts: 1_000}}",
        "labels: [a, b]\nquality: {review: {mode: always}}",
        "labels: [a, b]\npeople: {humans_only: yes}",
        "labels: [a, b]\npeople: {languages: [DE]}",
        "labels: [a, b]\npeople: {languages: [de, de]}",
        "labels: [a, b]\nmoney: {crowd: 0.05}",
        'labels: [a, b]\nmoney: {crowd: "-1"}',
        "labels: [a, b]\nmoney: {currency: usd}",
        "labels: [a, b]\nmoney: {bonuses: [{id: b}]}",
    ],
)
def test_what_an_editor_marks_the_compiler_refuses_too(rest: str) -> None:
    assert not accepts(HEAD + rest)
    with pytest.raises(RulesError):
        compile_rules(HEAD + rest, 1)
