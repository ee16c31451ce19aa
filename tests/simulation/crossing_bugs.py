"""Defects planted one at a time in what crosses between shards; see `bugs` for those within one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pytest
from tests.simulation.knowledge import TENANT
from tests.simulation.process import Answer, Call, Process
from tests.simulation.site import HOME, Carried, Site

from crowdroute.router.commands import Command
from crowdroute.router.commands.organisation import NoteBalance, NoteBalances
from crowdroute.router.commands.project import ApplyWorkerFact, SeverPerson
from crowdroute.router.commands.replies import Done, Noted
from crowdroute.router.errors import Refusal
from crowdroute.router.events import Event
from crowdroute.router.events.organisation import BalanceNoted
from crowdroute.router.events.project import WorkerFactApplied
from crowdroute.router.machine import balances, crossing
from crowdroute.router.machine.organisation import balances as noting
from crowdroute.router.machine.organisation.pieces import ReadInPieces
from crowdroute.router.machine.project import machine as project
from crowdroute.router.machine.stream import Decision, project_stream
from crowdroute.router.model.ids import Id
from crowdroute.router.runtime.copies import OrganisationCopy
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.project import Project


def notes_a_total_again(patch: pytest.MonkeyPatch) -> None:
    """The organisation takes a total over as often as it comes, older ones too."""

    def note(state: OrganisationState, command: NoteBalances) -> Decision:
        for told in command.balances:
            if told.project in state.projects and told.worker in state.workers:
                yield BalanceNoted(told.project, told.worker, told.version, told.micros, told.currency)
        return Noted(())

    patch.setattr(noting, "note_balances", note)


def notes_one_total_of_several(patch: pytest.MonkeyPatch) -> None:
    """The organisation takes over the first of the totals that come together, and answers for all of them."""
    whole = noting.note_balances

    def note(state: OrganisationState, command: NoteBalances) -> Decision:
        return whole(state, NoteBalances(command.balances[:1]))

    patch.setattr(noting, "note_balances", note)


def ignores_the_version_of_facts(patch: pytest.MonkeyPatch) -> None:
    """A project takes over whatever facts come last, were they said first or not."""

    def apply(state: Project, wish: ApplyWorkerFact, now_us: int) -> Decision:
        yield WorkerFactApplied(wish.facts)
        return Done()

    patch.setitem(project.DECIDERS, ApplyWorkerFact, apply)


def forgets_a_total_once_it_is_sent(patch: pytest.MonkeyPatch) -> None:
    """A total counts as told when it has left, whether it arrives or not."""
    careful = balances.UntoldBalances.outgoing

    def hasty(untold: balances.UntoldBalances, now_us: int) -> Iterator[tuple[str, NoteBalances]]:
        for stream, command in careful(untold, now_us):
            untold.told(stream, command.balances, now_us)
            yield stream, command

    patch.setattr(balances.UntoldBalances, "outgoing", hasty)


def overlooks_what_was_earned_meanwhile(patch: pytest.MonkeyPatch) -> None:
    """Once a total is known, what the worker earned while it was on its way is never told."""

    def told(untold: balances.UntoldBalances, stream: str, known: Sequence[NoteBalance], now_us: int) -> None:
        for balance in known:
            untold._apart.pop((project_stream(TENANT, balance.project), balance.worker), None)

    patch.setattr(balances.UntoldBalances, "told", told)


def takes_untold_totals_for_known_after_a_restart(patch: pytest.MonkeyPatch) -> None:
    """Whoever serves a shard next believes that every total had crossed."""
    patch.setattr(balances.UntoldBalances, "forget_known", lambda untold: untold._apart.clear())


def answers_another_shard_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """What crosses is confirmed while it is still on its way to the disk."""
    in_order = Process.take

    def hasty(process: Process, call: Call, now_us: int, entropy: bytes) -> None:
        in_order(process, call, now_us, entropy)
        answer: Answer = process.forming.waiting[-1]
        if isinstance(call, Carried) and call.then is not None and not isinstance(answer.outcome, Refusal):
            call.then(answer.outcome)

    patch.setattr(Process, "take", hasty)


def believes_a_copy_for_ever(patch: pytest.MonkeyPatch) -> None:
    """However long nothing was heard of the organisation's shard, workers are let in."""
    patch.setattr(OrganisationCopy, "require_fresh", lambda copy: None)


def brings_no_news_from_elsewhere(patch: pytest.MonkeyPatch) -> None:
    """A worker who asks for work is taken for what the project heard of them first."""
    whole = crossing.unheard

    def hasty(project: Project, organisation: OrganisationState, worker: Id) -> Command | None:
        return None if crossing.knows(project, worker) else whole(project, organisation, worker)

    patch.setattr(crossing, "unheard", hasty)
    patch.setattr(crossing, "told_by", lambda events, state: iter(()))


def gives_work_to_the_erased_until_they_are_severed(patch: pytest.MonkeyPatch) -> None:
    """A worker who was erased is given work until the project is told, which takes as long as it takes."""
    whole, aloud = crossing.unheard, crossing.told_by

    def hasty(project: Project, organisation: OrganisationState, worker: Id) -> Command | None:
        command = whole(project, organisation, worker)
        return None if isinstance(command, SeverPerson) else command

    def told_by(events: Iterable[Event], organisation: OrganisationState) -> Iterator[tuple[Id, Command]]:
        return (told for told in aloud(events, organisation) if not isinstance(told[1], SeverPerson))

    patch.setattr(crossing, "unheard", hasty)
    patch.setattr(crossing, "told_by", told_by)


def takes_who_is_new_at_home_for_unknown(patch: pytest.MonkeyPatch) -> None:
    """Whoever is not in the copy does not exist, however far it is behind."""
    patch.setattr(Site, "is_behind", lambda site, call: False)


def tells_a_project_that_was_away_nothing(patch: pytest.MonkeyPatch) -> None:
    """What projects missed while their shard or its link was gone is never brought to them."""
    patch.setattr(Site, "_take_pieces", _begin_without_catching_up)


def _begin_without_catching_up(site: Site, arriving: ReadInPieces) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossing, "behind", lambda state, known: iter(()))
        _take_pieces(site, arriving)


_take_pieces = Site._take_pieces


def misses_what_changes_while_an_organisation_is_told(patch: pytest.MonkeyPatch) -> None:
    """Whoever takes an organisation over goes on from where home is by then, not from where its rows were."""

    def take(site: Site, arriving: ReadInPieces) -> None:
        _take_pieces(site, arriving)
        if site.arriving is None:
            site._copied = len(site.world.sites[HOME].disk.batches)

    patch.setattr(Site, "_take_pieces", take)
