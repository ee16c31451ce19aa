"""What kind of answers a table holds, by its columns and values."""

from __future__ import annotations

from crowdroute.aggregation.errors import UnreadableFileError
from crowdroute.aggregation.file_tables import Table

CHOICE, PAIRWISE, TEXT = "choice", "pairwise", "text"
NUMERIC, MULTI_LABEL = "numeric", "multi-label"
MASK, BOXES, KEYPOINTS, SPANS = "mask", "boxes", "keypoints", "spans"

COLUMNS_OF = {
    CHOICE: ("task", "worker", "label"),
    PAIRWISE: ("worker", "left", "right", "label"),
    TEXT: ("task", "worker", "text"),
    NUMERIC: ("task", "worker", "value"),
    MULTI_LABEL: ("task", "worker", "labels"),
    MASK: ("task", "worker", "mask"),
    BOXES: ("task", "worker", "boxes"),
    KEYPOINTS: ("task", "worker", "keypoints"),
    SPANS: ("task", "worker", "spans"),
}
"""The columns that answers of each kind have; others may stand beside them."""

KINDS = tuple(COLUMNS_OF)


def kind_of(table: Table) -> str:
    """Return the kind whose columns the table has, the most telling first.

    Raises ``UnreadableFileError`` where it has those of none.
    """
    for kind in (PAIRWISE, *(one for one in KINDS if one not in (PAIRWISE, CHOICE)), CHOICE):
        if set(COLUMNS_OF[kind]) <= set(table.columns):
            return kind
    expected = "; ".join(f"{','.join(columns)} ({kind})" for kind, columns in COLUMNS_OF.items())
    missing = [name for name in COLUMNS_OF[CHOICE] if name not in table.columns]
    raise UnreadableFileError(
        f"{table.header}: no column {missing[0]!r} among {list(table.columns)}; expected one of: {expected}"
    )
