"""Service tokens, without their secrets."""

from __future__ import annotations

from crowdroute.api.v1 import tokens_pb2
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.rpc.convert.ids import text_of
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.state.organisation import TokenRow


def token_message(row: TokenRow) -> tokens_pb2.Token:
    """Write a token."""
    facts = row.facts
    return tokens_pb2.Token(
        id=to_text(Kind.TOKEN, facts.token),
        name=facts.name,
        scopes=facts.scopes,
        expires_at=timestamp(facts.expires_us),
        vendor_id=text_of(Kind.VENDOR, facts.vendor),
        pool_id=text_of(Kind.POOL, facts.pool),
        revoked=row.revoked,
    )
