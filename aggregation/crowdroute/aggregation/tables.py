"""Columns of data frames and Arrow tables as codes, without importing what made them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.coding import Vocabulary, codes_by_appearance, identifier
from crowdroute.aggregation.errors import InvalidAnnotationsError


def coded_column(table: Any, name: str) -> tuple[NDArray[np.int32], Vocabulary]:
    """Return a column's codes and identifiers, in the order of first appearance.

    Raises ``InvalidAnnotationsError`` when there is no such column, or for a missing value, with its row.
    """
    column = _column(table, name)
    if column is None:
        raise InvalidAnnotationsError(
            f"there is no column {name!r} among {_names(table)}; name the right one"
        )
    if hasattr(column, "combine_chunks"):
        return _coded_arrow(column, name)
    if hasattr(column, "factorize"):
        # pandas: whatever its type, text and categories included, and in compiled code.
        codes, values = column.factorize()
        _refuse_missing(codes < 0, name)
        return codes.astype(np.int32), tuple(identifier(value) for value in values)
    values = column.to_list() if hasattr(column, "to_list") else column
    if not isinstance(values, np.ndarray) or values.dtype.kind == "O":
        _refuse_missing(np.array([value is None or value != value for value in values], dtype=bool), name)  # noqa: PLR0124
    return codes_by_appearance(values)


def moments(table: Any, name: str) -> NDArray[np.datetime64] | None:
    """Return a column of times as datetime64[ms] in UTC, NaT where missing; None where there is none."""
    column = _column(table, name)
    if column is None:
        return None
    zoned = getattr(getattr(column, "dtype", None), "tz", None) is not None
    try:
        if zoned:
            column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return np.asarray(_as_numpy(column)).astype("datetime64[ms]")
    except (TypeError, ValueError) as error:
        raise InvalidAnnotationsError(f"column {name!r} does not hold times: {error}") from error


def numbers(table: Any, name: str) -> NDArray[np.float64] | None:
    """Return a column of numbers as float64, NaN where missing; None where there is no such column."""
    column = _column(table, name)
    if column is None:
        return None
    try:
        return np.asarray(_as_numpy(column), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidAnnotationsError(f"column {name!r} does not hold numbers: {error}") from error


def _coded_arrow(column: Any, name: str) -> tuple[NDArray[np.int32], Vocabulary]:
    whole = column.combine_chunks()
    if whole.null_count:
        _refuse_missing(whole.is_null().to_numpy(zero_copy_only=False), name)
    encoded = whole if hasattr(whole, "indices") else whole.dictionary_encode()
    codes, order = codes_by_appearance(encoded.indices.to_numpy(zero_copy_only=False))
    values = encoded.dictionary.to_pylist()
    return codes, tuple(identifier(values[int(place)]) for place in order)


def _refuse_missing(missing: NDArray[np.bool_], name: str) -> None:
    if missing.any():
        raise InvalidAnnotationsError(
            f"column {name!r} has no value in row {int(np.argmax(missing))} (counted from 0), and in"
            f" {np.count_nonzero(missing)} rows in all; drop those rows first"
        )


def _as_numpy(column: Any) -> Any:
    return column.to_numpy() if hasattr(column, "to_numpy") else column


def _names(table: Any) -> list[str]:
    # An Arrow table's ``columns`` are the columns themselves.
    names = getattr(table, "column_names", None) or getattr(table, "columns", None)
    return [str(name) for name in (table if names is None else names)]


def _column(table: Any, name: str) -> Any:
    return table[name] if name in _names(table) else None
