"""A report as one web page: no script, no network, readable in light and dark, on paper, and by ear."""

from __future__ import annotations

from html import escape

from crowdroute.aggregation.report.document import Cell, Picture, Report, Section, Table, Tile
from crowdroute.aggregation.report.style import STYLE

LONG = 9
"""Characters of a tile's value above which it is written smaller."""


def to_html(report: Report) -> str:
    """Return the report as a complete page in UTF-8."""
    sections = "".join(_section(section) for section in report.sections)
    tiles = "".join(_tile(tile) for tile in report.tiles)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<header><h1>{escape(report.title)}</h1><p class="quiet">{escape(report.subtitle)}</p></header>\n'
        f'<div class="tiles">{tiles}</div>\n{sections}'
        f"<footer>{escape(report.footer)}</footer>\n</main>\n</body>\n</html>\n"
    )


def _tile(tile: Tile) -> str:
    return (
        f'<div class="tile"><span>{escape(tile.label)}</span>'
        f'<b class="{"long" if len(tile.value) > LONG else "short"}">{escape(tile.value)}</b>'
        f"<span>{escape(tile.note)}</span></div>"
    )


def _section(section: Section) -> str:
    blocks = "".join(
        _picture(block) if isinstance(block, Picture) else f'<div class="scroll">{_table(block)}</div>'
        for block in section.blocks
    )
    return (
        f"<section><h2>{escape(section.title)}</h2><p>{escape(section.text)}</p>"
        f'<div class="blocks">{blocks}</div></section>\n'
    )


def _picture(picture: Picture) -> str:
    return (
        f'<figure class="{"wide" if picture.wide else "half"}"><h3>{escape(picture.title)}</h3>{picture.svg}'
        f"<figcaption>{escape(picture.caption)}</figcaption>"
        f"<details><summary>The figures</summary>{_table(picture.table)}</details></figure>"
    )


def _table(table: Table) -> str:
    head = "".join(f'<th class="{column.align}">{escape(column.name)}</th>' for column in table.columns)
    rows = "".join(
        "<tr>"
        + "".join(_cell(cell, column.align) for cell, column in zip(row, table.columns, strict=True))
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{note}"


def _cell(cell: Cell, align: str) -> str:
    kind = f"{align} strong" if cell.strong else align
    return f'<td class="{kind}">{cell.picture or escape(cell.text)}</td>'
