"""The exponential of numbers that are not positive, which compiled loops work out several at a time.

``math.exp`` calls a library function per number. This is arithmetic alone, so that LLVM puts a loop over it
into vector instructions: a third of the time of an E-step. e^x = 2^n e^r with n = round(x / ln 2), e^r by its
Taylor series and 2^n by its bits (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions",
1980). Within 3 units of the last place of ``math.exp``; exactly 0 where that is below the smallest normal
number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

_PER_LN_2 = 1.0 / math.log(2.0)

# ln 2 in two parts, the first with so few bits that n times it is exact; the constants of fdlibm's e_exp.c.
_LN_2_HIGH, _LN_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ROUND = 1.5 * 2.0**52
"""Added to a number it leaves the nearest integer in the last bits: there are no bits for less."""
_SMALLEST = -708.0
"""e to that is just above the smallest normal float64."""
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11, _C12, _C13 = (
    1.0 / math.factorial(n) for n in range(2, 14)
)

# The same for float32 (the parts of ln 2 are those of Cephes' expf.c).
_f = np.float32
_PER_LN_2_F, _LN_2_HIGH_F, _LN_2_LOW_F = _f(_PER_LN_2), _f(0.693359375), _f(-2.12194440e-4)
_ROUND_F, _SMALLEST_F, _ZERO_F, _ONE_F = _f(1.5 * 2.0**23), _f(-87.0), _f(0.0), _f(1.0)
_C2F, _C3F, _C4F, _C5F, _C6F, _C7F = (_f(c) for c in (_C2, _C3, _C4, _C5, _C6, _C7))


def _reinterpreted(_typing: Any, number: Any) -> Any:
    """Take the bits of a number for those of the other kind of the same width."""
    result: Any
    result, code = {
        types.float64: (types.int64, ir.IntType(64)),
        types.float32: (types.int32, ir.IntType(32)),
        types.int64: (types.float64, ir.DoubleType()),
        types.int32: (types.float32, ir.FloatType()),
    }[number]

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], code)

    return result(number), generate


_reinterpret: Any = intrinsic(_reinterpreted)


def exponential(x: float) -> float:
    """In compiled code: e^x for x <= 0, of float64 or float32 and in that precision."""
    raise NotImplementedError("this is compiled with what calls it; elsewhere there is math.exp")


def _exponential(x: Any) -> Any:
    return {types.float64: _of_float64, types.float32: _of_float32}[x]


def _of_float64(x: Any) -> Any:
    rounded = x * _PER_LN_2 + _ROUND
    n = rounded - _ROUND
    r = (x - n * _LN_2_HIGH) - n * _LN_2_LOW
    s = (((((_C13 * r + _C12) * r + _C11) * r + _C10) * r + _C9) * r + _C8) * r + _C7
    s = ((((((s * r + _C6) * r + _C5) * r + _C4) * r + _C3) * r + _C2) * r + 1.0) * r + 1.0
    power = _reinterpret((_reinterpret(rounded) + np.int64(1023)) << np.int64(52))
    return s * power if x > _SMALLEST else 0.0


def _of_float32(x: Any) -> Any:
    rounded = x * _PER_LN_2_F + _ROUND_F
    n = rounded - _ROUND_F
    r = (x - n * _LN_2_HIGH_F) - n * _LN_2_LOW_F
    s = ((((_C7F * r + _C6F) * r + _C5F) * r + _C4F) * r + _C3F) * r + _C2F
    s = (s * r + _ONE_F) * r + _ONE_F
    power = _reinterpret(np.int32((_reinterpret(rounded) + 127) << 23))
    return s * power if x > _SMALLEST_F else _ZERO_F


overload(exponential, inline="always")(_exponential)
