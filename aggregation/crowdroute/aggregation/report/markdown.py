"""A report as Markdown: the same words and tables, without pictures."""

from __future__ import annotations

from crowdroute.aggregation.report.document import Picture, Report, Section, Table

_SPECIAL = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|~"} | {"\n": " ", "\r": " "})


def to_markdown(report: Report) -> str:
    """Return the report as Markdown (GitHub's tables)."""
    parts = [f"# {_plain(report.title)}", _plain(report.subtitle)]
    parts.append(
        "\n".join(
            f"* {_plain(tile.label)}: **{_plain(tile.value)}**"
            + (f" ({_plain(tile.note)})" if tile.note else "")
            for tile in report.tiles
        )
    )
    parts += [_section(section) for section in report.sections]
    parts.append(_plain(report.footer))
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(section: Section) -> str:
    parts = [f"## {_plain(section.title)}", _plain(section.text)]
    for block in section.blocks:
        if isinstance(block, Picture):
            parts += [f"### {_plain(block.title)}", _plain(block.caption), _table(block.table)]
        else:
            parts.append(_table(block))
    return "\n\n".join(part for part in parts if part)


def _table(table: Table) -> str:
    head = "| " + " | ".join(_plain(column.name) for column in table.columns) + " |"
    rule = "|" + "|".join("---:" if column.align == "end" else "---" for column in table.columns) + "|"
    rows = [
        "| " + " | ".join(f"**{_plain(one.text)}**" if one.strong else _plain(one.text) for one in row) + " |"
        for row in table.rows
    ]
    return "\n".join([head, rule, *rows]) + (f"\n\n{_plain(table.note)}" if table.note else "")


def _plain(text: str) -> str:
    return text.translate(_SPECIAL)
