"""Decide about leases: grant, extend, release, skip, revoke, report a problem, save a draft."""

from __future__ import annotations

from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.project import STAGES
from crowdroute.router.commands.replies import Done, Extended, Granted, Offered
from crowdroute.router.errors import InvalidCommand, LeaseEnded, WrongState
from crowdroute.router.events import project as facts
from crowdroute.router.machine.project.guards import given_reason, live_lease, require_id, working
from crowdroute.router.machine.project.settling import settle
from crowdroute.router.machine.stream import Decision
from crowdroute.router.model.ids import ID_BYTES, Id, Kind, stretch, to_text, unit
from crowdroute.router.model.states import AssignmentState, ProjectState, Purpose, Stage, WorkerStatus
from crowdroute.router.policy.base import Pick, Policy
from crowdroute.router.policy.known import KnownTasks
from crowdroute.router.quality.gold import EVERYTHING, wants_gold
from crowdroute.router.state.project import Project

LARGEST_REQUEST = 100
"""Leases in one RequestNext; a front-end that wants more asks again."""


_STAGES_OF = [tuple(stage for stage in STAGES if bits >> stage & 1) for bits in range(1 << (max(STAGES) + 1))]
"""By a worker's bits: the stages they may work at, in the order in which they are looked through."""

# Looking up an enum's member is slow, and every request asks for these.
_CROWD, _PAUSED = Stage.CROWD, ProjectState.PAUSED


class Chooser:
    """Chooses the next task of a worker: checks first, then the policy's pick, or hidden gold in its place
    when it is its turn."""

    def __init__(self, state: Project, policy: Policy, known: KnownTasks) -> None:
        """Store what to choose with."""
        self._state = state
        self._policy = policy
        self._known = known

    def choose(self, worker: int, random: bytes) -> tuple[Stage, Pick] | None:
        """Give a stage and a task for the worker, or None when nothing fits.

        Of the random bytes the first 8 decide about gold, the next 16 are the policy's.
        """
        state, entropy = self._state, random[8:]
        for stage in _STAGES_OF[state.workers.stages[worker]]:
            if stage is _CROWD and state.known:
                pick = self._crowd(worker, entropy, unit(random[:8]))
            else:
                pick = self._policy.pick(worker, stage, entropy)
            if pick is not None:
                return stage, pick
        return None

    def _crowd(self, worker: int, entropy: Id, draw: float) -> Pick | None:
        """Choose among work and what is hidden in it.

        Gold takes the place of work that there is: where there is none, all that is given would be gold, and
        everybody would know (unless gold is all there shall be). What somebody gave back is given out again
        as work is, at once.
        """
        state, workers = self._state, self._state.workers
        if workers.status[worker] == WorkerStatus.NEW:
            for purpose in (Purpose.TRAINING, Purpose.QUALIFICATION):
                task = self._known.pick(worker, purpose, entropy)
                if task is not None:
                    return Pick(task, purpose.name.lower(), 0.0, 1.0)
        pick, plan = self._policy.pick(worker, _CROWD, entropy), state.rules.gold
        if pick is None and plan.share < EVERYTHING:
            task = self._known.pick_returned(worker, Purpose.GOLD)
        elif wants_gold(plan, workers.granted[worker], workers.gold_granted[worker], draw):
            task = self._known.pick(worker, Purpose.GOLD, entropy)
        else:
            return pick
        return pick if task is None else Pick(task, "gold", 0.0, 1.0)


def grant(state: Project, wish: wishes.RequestNext, now_us: int, entropy: Id, chooser: Chooser) -> Decision:
    """Grant up to `count` leases, each chosen with the ones before it in place."""
    if not 1 <= wish.count <= LARGEST_REQUEST:
        raise InvalidCommand(f"count {wish.count} is not in 1..{LARGEST_REQUEST}", {"field": "count"})
    require_id("entropy", entropy)
    random = stretch(entropy, 0)
    if state.assignments.look_up(random[:ID_BYTES]) >= 0:
        raise InvalidCommand(
            "this entropy was used before; draw it anew for each request", {"field": "entropy"}
        )
    worker = working(state, wish.worker)
    if state.state == _PAUSED:
        return Offered((), "PROJECT_PAUSED")
    rules = state.rules
    terms = rules.lease
    room = (state.workers.capacity[worker] or terms.per_worker) - state.workers.live[worker]
    if room <= 0:
        return Offered((), "AT_CAPACITY")
    leases: list[Granted] = []
    for number in range(min(wish.count, room)):
        if number:
            random = stretch(entropy, number)
        chosen = chooser.choose(worker, random[24:48])
        if chosen is None:
            break
        stage, pick = chosen
        event = facts.LeaseGranted(
            assignment=random[:16],
            task=state.tasks.recall(pick.task),
            worker=wish.worker,
            stage=stage,
            fence=int.from_bytes(random[16:24], "big") >> 1,
            deadline_us=now_us + terms.duration_us,
            price_micros=state.price_micros(stage),
            rules_version=rules.version,
            policy=pick.policy,
            value=pick.value,
            propensity=pick.propensity,
            locale=wish.locale,
        )
        yield event
        leases.append(
            Granted(
                assignment=event.assignment,
                item=state.items.id_of(state.tasks.item[pick.task]),
                stage=stage,
                fence=event.fence,
                deadline_us=event.deadline_us,
                price_micros=event.price_micros,
                currency=rules.prices.currency,
                rules_version=rules.version,
            )
        )
    return Offered(tuple(leases), "" if leases else "NO_TASK")


def extend(state: Project, wish: wishes.ExtendLease, now_us: int) -> Decision:
    """Renew a lease from now on, as often as the rules allow."""
    row = live_lease(state, wish.worker, wish.assignment, wish.fence)
    terms = state.rules_at(state.assignments.rules_version[row]).lease
    if state.assignments.extensions[row] >= terms.extensions:
        text = to_text(Kind.ASSIGNMENT, wish.assignment)
        raise WrongState(
            f"{text} was extended {terms.extensions} times already; submit or release it",
            {"assignment": text, "state": "EXTENDED"},
        )
    deadline_us = max(now_us + terms.duration_us, state.assignments.deadline_us[row])
    yield facts.LeaseExtended(wish.assignment, deadline_us)
    return Extended(deadline_us)


def release(state: Project, wish: wishes.ReleaseLease, now_us: int) -> Decision:
    """Take a task back unanswered."""
    row = live_lease(state, wish.worker, wish.assignment, wish.fence)
    yield facts.LeaseReleased(wish.assignment)
    yield from settle(state, state.assignments.task[row])
    return Done()


def skip(state: Project, wish: wishes.SkipAssignment, now_us: int) -> Decision:
    """Take a task back with the worker's reason."""
    row = live_lease(state, wish.worker, wish.assignment, wish.fence)
    reason = given_reason(wish.reason)
    yield facts.AssignmentSkipped(wish.assignment, reason, wish.problem, wish.comment)
    yield from settle(state, state.assignments.task[row])
    return Done()


def report(state: Project, wish: wishes.ReportProblem, now_us: int) -> Decision:
    """Note that a worker finds a task broken."""
    live_lease(state, wish.worker, wish.assignment, wish.fence)
    yield facts.ProblemReported(wish.assignment, given_reason(wish.reason), wish.comment)
    return Done()


def save_draft(state: Project, wish: wishes.SaveDraft, now_us: int) -> Decision:
    """Keep unfinished work; the lease goes on as it was."""
    live_lease(state, wish.worker, wish.assignment, wish.fence)
    yield facts.DraftSaved(wish.assignment, wish.digest)
    return Done()


def revoke(state: Project, wish: wishes.RevokeLease, now_us: int) -> Decision:
    """Take a live lease away."""
    row = state.assignment(wish.assignment)
    now = AssignmentState(state.assignments.state[row])
    if now is not AssignmentState.ACTIVE:
        text = to_text(Kind.ASSIGNMENT, wish.assignment)
        raise LeaseEnded(f"the lease of {text} is over already ({now.name.lower()})", {"state": now.name})
    yield facts.LeaseRevoked(wish.assignment, given_reason(wish.reason))
    yield from settle(state, state.assignments.task[row])
    return Done()


def note_outage(state: Project, wish: wishes.NoteOutage, now_us: int) -> Decision:
    """Extend every live lease by the time the engine was away."""
    if wish.length_us <= 0:
        raise InvalidCommand(f"an outage of {wish.length_us} microseconds is none", {"field": "length_us"})
    yield facts.OutageNoted(wish.length_us)
    return Done()
