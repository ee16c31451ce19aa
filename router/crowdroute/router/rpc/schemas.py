"""What is built once per version of a project's rules: its schema, guideline, and frames of its offers."""

from __future__ import annotations

from crowdroute.router.model.states import Stage
from crowdroute.router.rpc.convert.offers import offer_template
from crowdroute.router.rpc.convert.schema import Schema
from crowdroute.router.state.project import Project

MOST_KEPT = 10_000
"""Versions and offer frames kept (a few KiB each); then all are built anew as they are needed."""


class Schemas:
    """Schemas and offer frames by project and version; all may be lost at any time."""

    def __init__(self) -> None:
        self._schemas: dict[tuple[str, int], Schema] = {}
        self._frames: dict[tuple[str, int, int, int], bytes] = {}

    def current(self, stream: str, state: Project) -> Schema:
        """Give the schema that holds now."""
        return self.at(stream, state, state.rules.version)

    def at(self, stream: str, state: Project, version: int) -> Schema:
        """Give the schema of an earlier version."""
        schema = self._schemas.get((stream, version))
        if schema is None:
            if len(self._schemas) >= MOST_KEPT:
                self._schemas.clear()
            schema = self._schemas[stream, version] = Schema(state.rules_at(version))
        return schema

    def frame(self, stream: str, state: Project, version: int, stage: Stage, price_micros: int) -> bytes:
        """Give what the offers of one version, stage and price have in common, encoded."""
        key = (stream, version, stage, price_micros)
        frame = self._frames.get(key)
        if frame is None:
            if len(self._frames) >= MOST_KEPT:
                self._frames.clear()
            frame = self._frames[key] = offer_template(
                state.project,
                self.at(stream, state, version),
                stage,
                price_micros,
                state.rules_at(version).prices.currency,
            )
        return frame
