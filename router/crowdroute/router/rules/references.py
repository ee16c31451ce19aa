"""What a document may refer to by name, looked up in the organisation's facts by whoever compiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.ids import Id, Kind, from_text, to_text


@dataclass(frozen=True, slots=True)
class References:
    """Pools and vendors of the tenant, ids by name."""

    pools: Mapping[str, Id] = field(default_factory=dict)
    vendors: Mapping[str, Id] = field(default_factory=dict)

    def names(self, kind: Kind) -> Mapping[str, Id]:
        """Give ids by name of pools or of vendors."""
        return self.pools if kind is Kind.POOL else self.vendors

    def find(self, kind: Kind, text: str) -> Id | None:
        """Give the pool or vendor of this name, or of this id in its text form; None when there is none."""
        names = self.names(kind)
        if text in names:
            return names[text]
        try:
            identity = from_text(kind, text)
        except InvalidCommand:
            return None
        return identity if identity in names.values() else None

    def name(self, kind: Kind, identity: Id) -> str:
        """Give the name of a pool or vendor, or its id's text form when it is not known by name."""
        for name, other in self.names(kind).items():
            if other == identity:
                return name
        return to_text(kind, identity)
