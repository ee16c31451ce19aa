"""Compiled loops that put tasks where policies find them; rows come whole, so a call has few arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crowdroute.router.model.states import Purpose, Stage, TaskState
from crowdroute.router.policy.cards import GONE, INSIDE, OUTSIDE, SEEN
from crowdroute.router.policy.grid import (
    AGREEING,
    BINS,
    CELLS,
    DRIFT,
    FIRST_CELL,
    FRESH,
    LOW,
    PRIORITIES,
    SETTLING,
    WIDTH,
)
from crowdroute.router.policy.held import opened
from crowdroute.router.policy.lists import ASIDE, NOWHERE
from crowdroute.router.policy.segments import COUNT, FIRST_ROOM, ROOM, START

Array = NDArray[Any]

UPPER_STAGES = 2

# Kernels take plain integers; an enum's member would be looked up in every iteration.
_OPEN = int(TaskState.OPEN)
_EXPERT = int(Stage.EXPERT)
_GOLD, _TRAINING, _QUALIFICATION = int(Purpose.GOLD), int(Purpose.TRAINING), int(Purpose.QUALIFICATION)
CROWD_BIT, SENIOR_BIT, EXPERT_BIT = 1 << Stage.CROWD, 1 << Stage.SENIOR, 1 << Stage.EXPERT

TURN, POOLED, CANDIDATES, REACHED = range(4)
"""Places of the counters: the turn last given out, how much of the two arenas is used, where placing
stopped."""
COUNTERS = 4

DONE, POOLS_FULL, SETS_FULL = range(3)
"""What `place` says: everything is placed, or which arena must grow before it can go on."""

AGEING_LEASES = 12
"""A deadline nearer than this many lease durations lifts a task by a priority class; half of that by two, a
quarter by three. With the usual five answers per task, twelve leave every answer one lease that came to
nothing."""
MOST_LIFT = PRIORITIES - 1

LIVE_WEIGHT = 0.5
"""What a label in flight counts, in labels: it may go against the posterior, and it may never come."""


@njit(cache=True, nogil=True)
def _unlink(links: Array, ends: Array, task: int) -> None:
    link = links[task]
    if link.bucket >= 0:
        if link.prev >= 0:
            links[link.prev].next = link.next
        else:
            ends[link.bucket, 0] = link.next
        if link.next >= 0:
            links[link.next].prev = link.prev
        else:
            ends[link.bucket, 1] = link.prev
    links[task].bucket = NOWHERE


@njit(cache=True, nogil=True)
def _link(links: Array, ends: Array, task: int, bucket: int, counters: Array) -> None:
    """Put a task at the end of a list. One that only changes lists keeps no place of its old one."""
    counters[TURN] += 1
    links[task].bucket = bucket
    links[task].turn = counters[TURN]
    if bucket >= 0:
        last = ends[bucket, 1]
        links[task].prev = last
        links[task].next = -1
        ends[bucket, 1] = task
        if last >= 0:
            links[last].next = task
        else:
            ends[bucket, 0] = task


@njit(cache=True, nogil=True)
def _append(table: Array, arena: Array, counters: Array, used: int, key: int, value: int) -> bool:
    """Append to a segment, or say that the arena is full."""
    if table[key, COUNT] == table[key, ROOM]:
        room = max(2 * table[key, ROOM], FIRST_ROOM)
        start = counters[used]
        if start + room > len(arena):
            return False
        counters[used] = start + room
        for place in range(table[key, COUNT]):
            arena[start + place] = arena[table[key, START] + place]
        table[key, START] = start
        table[key, ROOM] = room
    arena[table[key, START] + table[key, COUNT]] = value
    table[key, COUNT] += 1
    return True


@njit(cache=True, nogil=True)
def _appraise(
    card: Any, labelled: bool, posterior: Array, class_counts: Array, group: int, by_class: bool, begin: bool
) -> None:
    total = class_counts.sum()
    best, likeliest = -1.0, 0
    for label in range(len(class_counts)):
        probability = posterior[label] if labelled else class_counts[label] / total
        if probability > best:
            best, likeliest = probability, label
    if begin or best < card.confidence:
        card.confidence = best
        card.group = group + (likeliest if by_class else 0)


@njit(cache=True, nogil=True)
def appraise(
    tasks: Array,
    cards: Array,
    posteriors: Array,
    class_counts: Array,
    group: int,
    by_class: bool,
    begin: bool,
    which: Array,
    count: int,
) -> None:
    """Note confidence and group of the first `count` tasks of `which` for one field; unless `begin`, only
    where it is lower than before.

    A task without labels stands at the class shares, which is what its first label will be weighed against.
    """
    for number in which[:count]:
        labelled = tasks[number].counted_crowd + tasks[number].counted_senior > 0
        _appraise(cards[number], labelled, posteriors[number], class_counts, group, by_class, begin)


@njit(cache=True, nogil=True)
def _cell(card: Any, groups: Array, labels: int, live: int, minimum: int, target: float) -> int:
    if len(groups) == 0:
        return 0
    if labels == 0 and live == 0:
        return FRESH
    confidence = min(max(float(card.confidence), 1e-9), 1.0 - 1e-9)
    group = groups[card.group]
    known = math.log(confidence / (1.0 - confidence))
    if labels + live >= minimum and known + group[AGREEING] * live >= target:
        return SETTLING
    expected = known + LIVE_WEIGHT * group[DRIFT] * live
    step = int((expected - group[LOW]) / group[WIDTH])
    return int(group[FIRST_CELL]) + min(max(step, 0), int(group[BINS]) - 1)


@njit(cache=True, nogil=True)
def _lift(deadline: int, now: int, lease: int) -> int:
    if deadline == 0 or lease == 0:
        return 0
    lift, span = 0, AGEING_LEASES * lease
    while lift < MOST_LIFT and now >= deadline - span:
        lift += 1
        span //= 2
    return lift


@njit(cache=True, nogil=True)
def _stages(task: Any) -> int:
    """Give a bit for every stage that takes another worker, as `Project.wanted` says."""
    if task.state != _OPEN:
        return 0
    if task.stage == _EXPERT:
        free = task.planned_expert - task.live_expert - task.counted_expert - task.kept_expert
        return EXPERT_BIT if free > 0 else 0
    wanted = 0
    if task.planned_crowd - task.live_crowd - task.counted_crowd - task.kept_crowd > 0:
        wanted |= CROWD_BIT
    if task.planned_senior - task.live_senior - task.counted_senior - task.kept_senior > 0:
        wanted |= SENIOR_BIT
    return wanted


@njit(cache=True, nogil=True)
def _enter_sets(
    task: int, row: Any, listed: Array, again: bool, table: Array, sets: Array, counters: Array
) -> bool:
    """Put a task into the candidate set of everyone on its allow list; safe to repeat."""
    for place in range(row.allow_start, row.allow_start + row.allow_count):
        worker = listed[place, 0]
        start, count = table[worker, START], table[worker, COUNT]
        known = count > 0 and sets[start + count - 1] == task
        if again and not known:
            for other in range(start, start + count):
                known = known or sets[other] == task
        if not known and not _append(table, sets, counters, CANDIDATES, worker, task):
            return False
    return True


@njit(cache=True, nogil=True)
def _enter_pool(cards: Array, task: int, pool_table: Array, pool: Array, counters: Array) -> bool:
    signature = cards[task].signature
    if not _append(pool_table, pool, counters, POOLED, signature, task):
        return False
    cards[task].place = pool_table[signature, COUNT]
    return True


@njit(cache=True, nogil=True)
def _leave_pool(cards: Array, task: int, pool_table: Array, pool: Array) -> None:
    signature, place = cards[task].signature, cards[task].place - 1
    last = pool_table[signature, COUNT] - 1
    moved = pool[pool_table[signature, START] + last]
    pool[pool_table[signature, START] + place] = moved
    cards[moved].place = place + 1
    pool_table[signature, COUNT] = last
    cards[task].place = 0


@njit(cache=True, nogil=True)
def _remember_seen(cards: Array, task: int, newest: int, assignments: Array) -> None:
    synced, count = cards[task].synced - 1, cards[task].seen_count
    row = newest
    while row != synced:
        if count < SEEN:
            cards[task].seen[count] = assignments[row].worker
        count += 1
        row = assignments[row].next_of_task
    cards[task].seen_count = count
    cards[task].synced = newest + 1


@njit(cache=True, nogil=True)
def place(
    held: Array,
    posteriors: Array,
    class_counts: Array,
    which: Array,
    first: int,
    end: int,
    now: int,
    group: int,
    by_class: bool,
    begin: bool,
    groups: Array,
    lease: int,
    target: float,
    minimum: int,
) -> int:
    """Put the tasks which[first..end] where their standing says.

    `held` is `Buckets.held`. `posteriors`, `class_counts`, `group`, `by_class` and `begin` are those of
    `appraise` for the last field, which is done on the way.

    Crowd work without an allow list stands in a list per (signature, priority, cell), whose bit in `occupied`
    is set, and in its signature's pool; senior and expert work in a list per (signature, priority, stage);
    work with an allow list in the sets of those on it. `lease` 0 leaves deadlines alone, no `groups` puts
    every task into cell 0. `target` in nats.
    """
    (
        tasks,
        assignments,
        _,
        listed,
        cards,
        crowd,
        crowd_ends,
        occupied,
        under_way,
        pool_table,
        pool,
        set_table,
        sets,
        upper,
        upper_ends,
        counters,
    ) = opened(held)
    for at in range(first, end):
        number = which[at]
        task = tasks[number]
        if task.purpose in (_GOLD, _TRAINING, _QUALIFICATION):
            continue
        card = cards[number]
        wanted = _stages(task)
        if card.resting:
            wanted &= ~CROWD_BIT
        signature = task.signature
        card.signature = signature
        card.listed = task.allow_count > 0
        card.denies = task.deny_count > 0
        if task.first_assignment != card.synced - 1:
            _remember_seen(cards, number, task.first_assignment, assignments)

        counters[REACHED] = at
        if task.state == _OPEN:
            if card.listed and card.entered != INSIDE:
                if not _enter_sets(number, task, listed, card.entered == GONE, set_table, sets, counters):
                    return SETS_FULL
                card.entered = INSIDE
            pooled = card.listed or card.place > 0 or not wanted & CROWD_BIT
            if not pooled and not _enter_pool(cards, number, pool_table, pool, counters):
                return POOLS_FULL
        elif card.entered != OUTSIDE:
            card.entered = GONE
        if card.place > 0 and not wanted & CROWD_BIT:
            _leave_pool(cards, number, pool_table, pool)

        labels = task.counted_crowd + task.counted_senior
        if len(groups) > 0:
            _appraise(card, labels > 0, posteriors[number], class_counts, group, by_class, begin)
        card.lift = _lift(task.deadline_us, now, lease)
        card.priority = min(task.priority + card.lift, PRIORITIES - 1)
        card.cell = _cell(card, groups, labels, task.live_crowd, minimum, target)
        card.wanted = wanted

        begun = 1 if wanted & CROWD_BIT and labels + task.live_crowd > 0 else 0
        under_way[signature] += begun - card.under_way
        card.under_way = begun

        level = signature * PRIORITIES + card.priority
        bucket = NOWHERE
        if wanted & CROWD_BIT:
            bucket = ASIDE if card.listed else level * CELLS + card.cell
        old = crowd[number].bucket
        if bucket != old:
            _unlink(crowd, crowd_ends, number)
            if old >= 0 and crowd_ends[old, 0] < 0:
                occupied[old // CELLS] &= ~(np.uint64(1) << np.uint64(old % CELLS))
            if bucket != NOWHERE:
                _link(crowd, crowd_ends, number, bucket, counters)
            if bucket >= 0:
                occupied[level] |= np.uint64(1) << np.uint64(card.cell)

        bucket = NOWHERE
        if wanted & (SENIOR_BIT | EXPERT_BIT):
            stage = 1 if wanted & EXPERT_BIT else 0
            bucket = ASIDE if card.listed else level * UPPER_STAGES + stage
        if bucket != upper[number].bucket:
            _unlink(upper, upper_ends, number)
            if bucket != NOWHERE:
                _link(upper, upper_ends, number, bucket, counters)
    return DONE
