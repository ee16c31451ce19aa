"""Texts as vectors without a trained model: hashed pieces of characters."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidParameterError

Encoder = Callable[[Sequence[str]], NDArray[np.float64]]
"""Makes one vector of each text: (texts, dimensions), finite. A sentence model's ``encode`` is one too."""


class HashingEncoder:
    """Counts the pieces of characters of a text, each in a dimension that its hash names, at length 1.

    K. Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009: a second bit of the
    hash is the sign, so that what falls together by chance cancels on average. Texts are compared without
    case, white space as one blank; the same text has the same vector on every machine. An empty text is the
    null vector.
    """

    def __init__(self, dimensions: int = 512, shortest: int = 3, longest: int = 4) -> None:
        if dimensions < 1 or not 1 <= shortest <= longest:
            raise InvalidParameterError(
                f"dimensions is {dimensions} and pieces have {shortest} to {longest} characters; give at"
                " least one dimension, and lengths from 1 up, the shortest first"
            )
        self.dimensions = dimensions
        self.shortest = shortest
        self.longest = longest

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors: (texts, dimensions)."""
        vectors = np.zeros((len(texts), self.dimensions))
        for row, text in zip(vectors, texts, strict=True):
            plain = " ".join(text.casefold().split())
            if not plain:
                continue
            plain = f" {plain} "
            for length in range(self.shortest, self.longest + 1):
                for start in range(max(len(plain) - length + 1, 1)):
                    code = zlib.crc32(plain[start : start + length].encode())
                    row[(code >> 1) % self.dimensions] += 1.0 if code & 1 else -1.0
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(lengths > 0.0, lengths, 1.0))
