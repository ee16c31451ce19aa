"""Reports of an aggregation: one document, written as a web page or as Markdown.

Nothing here reads or writes files: ``to_html`` and ``to_markdown`` give text. A page needs no network and no
script; its pictures are SVG and follow the reader's light or dark setting.
"""

from __future__ import annotations

from crowdroute.aggregation.report.document import Cell, Column, Picture, Report, Section, Table, Tile
from crowdroute.aggregation.report.html import to_html
from crowdroute.aggregation.report.markdown import to_markdown

__all__ = ["Cell", "Column", "Picture", "Report", "Section", "Table", "Tile", "to_html", "to_markdown"]
