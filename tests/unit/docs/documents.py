"""What the documents hold: their code, their tables, their links, their headings."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
TOP_LEVEL = sorted(REPOSITORY.glob("*.md"))
DOCUMENTS = [*TOP_LEVEL, *sorted((REPOSITORY / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def read(name: str) -> str:
    """Give a document of the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Give the fenced blocks in a language."""
    return [body for kind, body in _FENCE.findall(text) if kind == language]


def prose(text: str) -> str:
    """Give a document without its fenced blocks."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    """Give the targets of all links."""
    return _LINK.findall(prose(text))


def anchors(text: str) -> set[str]:
    """Give the fragments that a document's headings can be linked by, as GitHub makes them."""
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(prose(text)))
    return {title.replace(" ", "-") for title in titles}


def section(text: str, title: str) -> str:
    """Give what stands under a heading of the second level."""
    _, found, rest = text.partition(f"\n## {title}\n")
    assert found, f"there is no section {title!r}"
    return rest.partition("\n## ")[0]


def tables(text: str) -> list[list[list[str]]]:
    """Give the tables: rows of cells, their heads left out."""
    found: list[list[list[str]]] = []
    rows: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            found.append(rows[2:])
            rows = []
    return found


def codes(cell: str) -> list[str]:
    """Give what a cell holds as code."""
    return re.findall(r"`([^`]+)`", cell)


def commands(text: str, program: str) -> list[list[str]]:
    """Give every call of a program, in code blocks and in inline code, as words; a comment ends it."""
    indented = [line for line in text.splitlines() if line.startswith("    ")]
    fenced = [line for _, body in _FENCE.findall(text) for line in body.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", prose(text))
    calls = []
    for line in (*indented, *fenced, *inline):
        words = line.partition(" #")[0].strip().removesuffix("&").split()
        if words and words[0] == program:
            calls.append(words[1:])
    return calls
