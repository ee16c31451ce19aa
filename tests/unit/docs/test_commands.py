"""Every command that the documents name exists, with its options."""

from typing import Any

import pytest
from tests.unit.docs.documents import DOCUMENTS, REPOSITORY, commands, read
from typer.main import get_command

from crowdroute.router.cli.app import app


def problem(words: list[str]) -> str:
    """Say what is wrong with a call of the program; empty when nothing is."""
    command: Any = get_command(app)
    for word in words:
        known = getattr(command, "commands", None)
        if known is None:
            break
        if word.startswith("-") or not word.isalpha() or word.isupper():
            break
        if word not in known:
            return f"there is no {word}"
        command = known[word]
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("-") and word not in options]
    return f"there is no option {unknown}" if unknown else ""


@pytest.mark.parametrize(
    "document",
    [one for one in DOCUMENTS if commands(one.read_text(), "crowdroute")],
    ids=lambda path: path.name,
)
def test_every_command_in_a_document_exists(document: Any) -> None:
    calls = commands(document.read_text(encoding="utf-8"), "crowdroute")
    assert [(words, problem(words)) for words in calls if problem(words)] == []


def test_the_readme_names_commands() -> None:
    named = {words[0] for words in commands(read("README.md"), "crowdroute")}
    assert {"serve", "project", "import", "stats", "workers", "explain", "export", "replay", "rules"} <= named


def test_a_command_or_option_that_does_not_exist_is_found() -> None:
    assert problem(["project", "destroy", "cats"])
    assert problem(["serve", "--fast"])


@pytest.mark.parametrize(
    "document", [one for one in DOCUMENTS if commands(one.read_text(), "make")], ids=lambda path: path.name
)
def test_every_make_target_in_a_document_exists(document: Any) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for words in commands(document.read_text(encoding="utf-8"), "make"):
        assert all(f"\n{word}:" in makefile for word in words if "=" not in word), words
