"""How compiled code is handed arrays by their addresses.

An argument that is an array costs a call of compiled code a tenth of a microsecond; where the work itself
takes one, that is worth saving. Whoever hands an address over keeps the array alive, and notes its address
anew when another array takes its place.
"""

from __future__ import annotations

from typing import Any

from numba import carray, types  # type: ignore[attr-defined]  # it leaves carray out
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray


def address_of(array: NDArray[Any]) -> int:
    """Give where an array's numbers lie."""
    address: int = array.__array_interface__["data"][0]
    return address


def _number_as_pointer(_typing: Any, _number: Any) -> Any:
    """Take a number for the address that it is."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


__all__ = ["address_of", "carray", "pointer"]

pointer: Any = intrinsic(_number_as_pointer)
"""In compiled code: the address as what `numba.carray` makes an array of."""
