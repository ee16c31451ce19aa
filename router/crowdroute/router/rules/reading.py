"""Read a rules document: text in, a validated document out, with all problems and what came from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from pydantic import ValidationError

from crowdroute.router.rules.document import SCHEMA, Document
from crowdroute.router.rules.errors import MOST_PROBLEMS, Problem, RulesError
from crowdroute.router.rules.findings import did_you_mean, problem_of
from crowdroute.router.rules.paths import Path, write_path
from crowdroute.router.rules.quantities import is_template
from crowdroute.router.rules.strict_yaml import UNREADABLE, Tree, read
from crowdroute.router.rules.template import Merged, alone, lay_over


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read of a document, and what is wrong with the rest."""

    document: Document
    """Without the keys that have a problem: their defaults stand instead."""
    merged: Merged
    problems: tuple[Problem, ...]
    unsound: frozenset[Path]
    """The keys that were left out for a problem of theirs, or within them."""

    def provenance(self) -> dict[str, str]:
        """Give, for each key that a template supplied, the template's name and version."""
        return {write_path(path): name for path, name in self.merged.origins.items()}


def read_document(text: str | bytes, templates: Mapping[str, str | bytes] | None = None) -> Reading:
    """Read a document, laid over the template that it extends.

    `templates` holds texts by `name@version`.

    Raises:
        RulesError: nothing of it can be read. All other problems stand in the result.
    """
    tree = read(text)
    _require_document(tree, "")
    known = templates or {}
    problems = list(tree.problems)
    unsound: set[Path] = set()
    merged = alone(tree)
    name = merged.value.get("extends")
    if isinstance(name, str) and is_template(name):
        if name in known:
            template = read(known[name])
            problems.extend(replace(problem, template=name) for problem in template.problems)
            _require_document(template, name)
            problems.extend(_not_extending(template, name))
            merged = lay_over(tree, template, name)
        else:
            problems.append(
                merged.problem(("extends",), f"there is no template {name!r}", _other(name, known))
            )
            unsound.add(("extends",))
    document = _validate(merged, problems, unsound)
    return Reading(document, merged, tuple(problems), frozenset(unsound))


def _validate(merged: Merged, problems: list[Problem], unsound: set[Path]) -> Document:
    """Validate what is sound, and report the rest.

    What is left out may make the rest look wrong (a minimum beside a maximum that is gone), so that only the
    first round reports, and rounds go on until all that remains is sound.
    """
    first = True
    while True:
        try:
            return Document.model_validate(_without(unsound, merged.value, ()))
        except ValidationError as error:
            details = error.errors(include_url=False)
        unsound.update(_key_of(detail["loc"]) for detail in details)
        if first:
            found = (problem_of(detail, merged) for detail in details)
            problems.extend(islice((each for each in found if each is not None), MOST_PROBLEMS))
        first = False


def _key_of(location: Path) -> Path:
    """Give the key that an error is within, around any list."""
    return tuple(takewhile(lambda step: isinstance(step, str) and step != "[key]", location))


def _without(unsound: set[Path], value: object, path: Path) -> object:
    if not isinstance(value, dict):
        return value
    return {
        key: _without(unsound, inner, (*path, key))
        for key, inner in value.items()
        if (*path, key) not in unsound
    }


def _require_document(tree: Tree, template: str) -> None:
    """Refuse what is no rules document at all: nothing more could be said about it."""
    merged = Merged({}, {"": tree}, {})
    problems = list(tree.problems)
    if isinstance(tree.value, dict):
        schema = tree.value.get("schema")
        if schema == SCHEMA:
            return
        if schema is UNREADABLE:
            raise RulesError([replace(problem, template=template) for problem in problems])
        if schema is None:
            what, advice = "the key 'schema' is missing", f"begin the document with: schema: {SCHEMA}"
        else:
            what, advice = (
                f"{str(merged.written(('schema',)))[:64]!r} is not a schema of rules",
                f"write {SCHEMA}",
            )
        problems.append(merged.problem(("schema",), what, advice))
    elif not problems:
        problems.append(
            merged.problem((), "rules are a group of keys", f"begin the document with: schema: {SCHEMA}")
        )
    raise RulesError([replace(problem, template=template) for problem in problems])


def _not_extending(template: Tree, name: str) -> list[Problem]:
    if not isinstance(template.value, dict) or "extends" not in template.value:
        return []
    problem = Merged({}, {"": template}, {}).problem(
        ("extends",), "a template cannot extend another", "write out what it takes from there"
    )
    return [replace(problem, template=name)]


def _other(name: str, known: Mapping[str, str | bytes]) -> str:
    versions = sorted(other for other in known if other.partition("@")[0] == name.partition("@")[0])
    if versions:
        return f"its versions are {', '.join(versions[:10])}"
    near = did_you_mean(name, known)
    if near or not known:
        return near or "there are no templates yet: leave extends out"
    return f"the templates are {', '.join(sorted(known)[:10])}"
