"""Rules documents: compiled for a project, and kept as they were written."""

from __future__ import annotations

import asyncio
from importlib.metadata import PackageNotFoundError, version

import msgspec

from crowdroute.router.errors import LogCorrupt
from crowdroute.router.model import content
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.ports import ContentChange
from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.describe import describe
from crowdroute.router.rules.references import References
from crowdroute.router.state.organisation import OrganisationState

_encoder = msgspec.msgpack.Encoder()
_documents = msgspec.msgpack.Decoder(content.RulesContent)


def _release() -> str:
    try:
        return version("crowdroute")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unreleased"


CODE = _release()
"""Names the release that compiles."""


def references_of(organisation: OrganisationState) -> References:
    """Give what documents of a tenant may refer to by name, as it is now."""
    return References(pools=dict(organisation.pool_names), vendors=dict(organisation.vendor_names))


async def described(rules: ProjectRules, organisation: OrganisationState) -> str:
    """Write rules as a document with everything filled in."""
    return await asyncio.to_thread(describe, rules, references_of(organisation))


async def compiled(
    text: str, number: int, previous: ProjectRules | None, organisation: OrganisationState
) -> ProjectRules:
    """Compile a document to the rules of a version.

    It is done in a thread: the largest documents take a third of a second, and nobody waits for them.

    Raises:
        RulesError: with everything that is wrong with it.
    """
    return await asyncio.to_thread(
        compile_rules, text, number, previous, references_of(organisation), code=CODE
    )


def kept_document(project: Id, number: int, text: str, at_us: int, by: str) -> ContentChange:
    """Give what keeps a document beside the log.

    Args:
        project: whose rules these are.
        number: version of the rules.
        text: as it was written.
        at_us: logged time.
        by: text id of the token that applied it.
    """
    body = _encoder.encode(content.RulesContent(text, at_us, by))
    return ContentChange(content.rules(project, number), body)


def read_document(body: bytes) -> content.RulesContent:
    """Read what `kept_document` keeps.

    Raises:
        LogCorrupt: it is not that.
    """
    try:
        return _documents.decode(body)
    except msgspec.DecodeError as error:
        raise LogCorrupt(
            f"the content store holds what is no rules document ({error}): restore it from a backup"
        ) from error
