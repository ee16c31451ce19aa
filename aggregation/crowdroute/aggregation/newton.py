"""The maximum of a log-posterior of many parameters, by Newton steps that need no matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_CG_STEPS = 250
"""Steps of the conjugate gradients within one Newton step, at most."""

_POLISHING_STEPS = 20
"""Steps beyond the tolerance, at most; they end sooner where rounding lets them bring nothing."""

_LESS = 0.9
"""What a polishing step must leave of the gradient, at most."""

_ENOUGH = 1e-4
"""Share of the foretold decrease that a step must bring (Armijo)."""


class Minimum(NamedTuple):
    """Where the iteration ended."""

    place: Vector
    converged: bool
    history: tuple[float, ...]
    """The value after each step."""


def minimise(
    value_and_gradient: Callable[[Vector], tuple[float, Vector]],
    curvature: Callable[[Vector], Callable[[Vector], Vector]],
    start: Vector,
    n_iter: int,
    tol: float,
) -> Minimum:
    """Return where the gradient is at most ``tol`` in every direction, or where ``n_iter`` steps ended.

    From a place within the tolerance it goes on while the gradient shrinks: sums that are rounded in another
    order then end within rounding of the same place, not just within the tolerance.

    Truncated Newton with a line search: J. Nocedal and S. J. Wright, Numerical Optimization (2006), section
    7.1. ``curvature`` gives, for a place, the product of a positive definite matrix near the Hessian with a
    vector.
    """
    place = start
    value, gradient = value_and_gradient(place)
    history: list[float] = []
    while len(history) < n_iter and float(np.abs(gradient).max()) > tol:
        step = _conjugate_gradients(curvature(place), -gradient)
        slope = float(gradient @ step)
        length = 1.0
        while True:
            reached, its_gradient = value_and_gradient(place + length * step)
            # Near the minimum the value's own rounding decides; there a smaller gradient is what counts.
            smaller = np.abs(its_gradient).max() < np.abs(gradient).max()
            if reached <= value + _ENOUGH * length * slope or (
                smaller and reached <= value + 1e-9 * abs(value)
            ):
                break
            length /= 2.0
            if length < 1e-10:
                return Minimum(place, False, tuple(history))
        place, value, gradient = place + length * step, reached, its_gradient
        history.append(value)
    converged = bool(np.abs(gradient).max() <= tol)
    for _ in range(_POLISHING_STEPS if converged else 0):
        if not gradient.any():
            break
        further = place + _conjugate_gradients(curvature(place), -gradient)
        _, its_gradient = value_and_gradient(further)
        if not np.abs(its_gradient).max() <= _LESS * np.abs(gradient).max():
            break
        place, gradient = further, its_gradient
    return Minimum(place, converged, tuple(history))


def _conjugate_gradients(product: Callable[[Vector], Vector], right: Vector) -> Vector:
    """Return about the solution of matrix @ x = right; the nearer, the smaller the right side is."""
    found, rest = np.zeros_like(right), right.copy()
    along, squares = rest.copy(), float(rest @ rest)
    enough = min(0.1, float(np.sqrt(np.sqrt(squares)))) ** 2 * squares
    for _ in range(_CG_STEPS):
        through = product(along)
        length = squares / float(along @ through)
        found += length * along
        rest -= length * through
        before, squares = squares, float(rest @ rest)
        if squares <= enough:
            break
        along = rest + squares / before * along
    return found
