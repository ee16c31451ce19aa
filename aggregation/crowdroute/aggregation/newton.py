"""The maximum of a log-posterior of many parameters, by Newton steps that need no matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_CG_STEPS = 250
"""Steps of the conjugate gradients within one Newton step, at most."""

_POLISHING_STEPS = 60
"""Steps beyond the tolerance, at most; they end sooner where rounding lets them bring nothing."""

_LESS = 0.9
"""What a polishing step that brings something leaves of the least gradient so far, at most."""

_IDLE_STEPS = 3
"""Polishing steps in a row that bring nothing, at most: where the matrix is only near the Hessian the
greatest slope may pause, or rise for a step, while the place still moves by more than rounding."""

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
    if converged:
        place = _polished(value_and_gradient, curvature, place, gradient)
    return Minimum(place, converged, tuple(history))


def _polished(
    value_and_gradient: Callable[[Vector], tuple[float, Vector]],
    curvature: Callable[[Vector], Callable[[Vector], Vector]],
    place: Vector,
    gradient: Vector,
) -> Vector:
    """Return the place of the least gradient that steps from here reach before rounding stops them."""
    best, least, idle = place, float(np.abs(gradient).max()), 0
    for _ in range(_POLISHING_STEPS):
        if idle == _IDLE_STEPS or not gradient.any():
            break
        place = place + _conjugate_gradients(curvature(place), -gradient)
        _, gradient = value_and_gradient(place)
        steepest = float(np.abs(gradient).max())
        idle = 0 if steepest <= _LESS * least else idle + 1
        if steepest < least:
            best, least = place, steepest
    return best


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
