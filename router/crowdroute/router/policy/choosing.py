"""The compiled search for the task that is worth most to a worker, among those that `placing` put in
order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crowdroute.router.model.states import Stage
from crowdroute.router.policy.cards import INSIDE
from crowdroute.router.policy.fitting import at, fits, has_seen, is_denied, mixed, total_of
from crowdroute.router.policy.grid import CELLS, FRESH, PRIORITIES, SETTLING
from crowdroute.router.policy.held import opened
from crowdroute.router.policy.segments import COUNT, START

Array = NDArray[Any]

_CROWD = int(Stage.CROWD)

FRESH_BIT = np.uint64(1 << FRESH)
REGULAR_BITS = np.uint64((1 << SETTLING) - 1)

WALK = 16
"""Tasks of one bucket that are looked at before the next bucket is tried."""
BUDGET = 512
"""Tasks looked at in all before priority gives way to speed; about 30 µs."""
WAITING = 64
"""Buckets of one class that are gone on with while the budget lasts, after every bucket had its first
look."""
PROBES = 64
"""Tasks drawn by chance before the exact walk: they end it early unless the worker has seen nearly
everything."""
CANDIDATES_LOOKED_AT = 256
"""Candidates of a worker that are compared; among more, a stretch that begins at a chance place."""

NOBODY = -100
"""A rank below every other."""


@njit(cache=True, nogil=True)
def _slot(cursors: Array, bucket: int) -> int:
    """Give the place of a bucket among the cursors, by Fibonacci hashing; others may share it."""
    return int((np.uint64(bucket) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & (len(cursors) - 1)


@njit(cache=True, nogil=True)
def _search(
    bucket: int,
    limit: int,
    cursors: Array,
    ends: Array,
    links: Array,
    cards: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
) -> tuple[int, int]:
    """Look at tasks of a bucket, at most `limit`: the first that fits or -1, and how many were looked at.

    What was passed over will never fit, since it was seen or denies the worker. So a cursor (bucket, last
    task passed over, its turn) lets the next search begin behind it, while that task stands where it stood.
    """
    task = ends[bucket, 0]
    slot = _slot(cursors, bucket)
    if cursors[slot, 0] == bucket:
        passed = cursors[slot, 1]
        if links[passed].bucket == bucket and links[passed].turn == cursors[slot, 2]:
            task = links[passed].next
    last, walked = -1, 0
    while task >= 0 and walked < limit:
        if fits(cards, tasks, assignments, workers, listed, worker, task, _CROWD):
            break
        last = task
        task = links[task].next
        walked += 1
    if last >= 0:
        cursors[slot, 0], cursors[slot, 1], cursors[slot, 2] = bucket, last, links[last].turn
    return task if walked < limit else -1, walked


@njit(cache=True, nogil=True)
def _best_candidate(
    table_of: Array,
    values: Array,
    cards: Array,
    under_way: Array,
    window: int,
    set_table: Array,
    sets: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
    seed: int,
) -> tuple[int, int, float]:
    """Give the best task whose allow list names the worker, its rank and its value; (-1, NOBODY, 0) without
    any.

    Candidates that can never fit again are thrown out on the way, so a set is walked past them once. The
    first `CANDIDATES_LOOKED_AT` are compared; if none of them fits, the walk goes on to the first that does.
    """
    start, count = set_table[worker, START], set_table[worker, COUNT]
    best, best_rank, best_value = -1, NOBODY, -1.0
    place = seed % count if count > CANDIDATES_LOOKED_AT else 0
    looked, left = 0, count
    while left > 0 and (looked < CANDIDATES_LOOKED_AT or best < 0):
        if place >= count:
            place = 0
        task = sets[start + place]
        left -= 1
        looked += 1
        if cards[task].entered != INSIDE or has_seen(cards, tasks, assignments, workers, worker, task):
            count -= 1
            sets[start + place] = sets[start + count]
            continue
        place += 1
        card = cards[task]
        table = table_of[card.signature]
        if table < 0 or not card.wanted >> _CROWD & 1:
            continue
        rank = 2 * card.priority + 1
        if card.cell == SETTLING:
            rank = card.priority - 2 * PRIORITIES
        elif card.cell == FRESH and under_way[card.signature] >= window:
            rank -= 1
        value = values[table, card.cell]
        better = rank > best_rank or (rank == best_rank and value > best_value)
        if rank == best_rank and value == best_value:
            better = task < best  # The older one; its row says so without another look into memory.
        if better and not (card.denies and is_denied(tasks, listed, worker, task)):
            best, best_rank, best_value = task, rank, value
    set_table[worker, COUNT] = count
    return best, best_rank, best_value


@njit(cache=True, nogil=True)
def _best_cell(mask: Any, order: Array) -> int:
    for place in range(CELLS):
        if mask >> np.uint64(order[place]) & np.uint64(1):
            return int(order[place])
    return -1


@njit(cache=True, nogil=True)
def choose(
    held: Array,
    codes: Array,
    table_of: Array,
    values: Array,
    order: Array,
    window: int,
    cursors: Array,
    worker: int,
    seed: int,
) -> tuple[int, float, int]:
    """Give the crowd task that is worth most to the worker, its value in bits, and how many tasks were passed
    over on the way; -1 and 0 bits when no task fits.

    `held` is `Buckets.held`. `codes` are the signatures the worker may be given, `table_of` (signatures,)
    their value tables, -1 for the others; `values` and `order` (tables, 64) hold every cell's value and the
    cells from the best to the worst. Order of choice: priority class; within it begun tasks, and fresh ones
    while fewer than `window` are under way in their signature; then the other fresh ones; within these the
    value. Tasks about to be settled come after everything else.
    """
    (
        tasks,
        assignments,
        workers,
        listed,
        cards,
        links,
        ends,
        occupied,
        under_way,
        pool_table,
        pool,
        set_table,
        sets,
        _,
        _,
        _,
    ) = opened(held)
    candidate, rank, value = _best_candidate(
        table_of,
        values,
        cards,
        under_way,
        window,
        set_table,
        sets,
        tasks,
        assignments,
        workers,
        listed,
        worker,
        seed,
    )
    n = len(codes)
    masks, cells, worth = np.empty(n, np.uint64), np.empty(n, np.int64), np.empty(n, np.float64)
    waiting = np.empty(WAITING, np.int64)
    shift = seed % n if n > 0 else 0
    steps, cut = 0, False

    for priority in range(PRIORITIES - 1, -1, -1):
        for late in range(2):
            level = 2 * priority + 1 - late
            if rank > level:
                return candidate, value, steps
            alive, waits = 0, 0
            for place in range(n):
                code = codes[place]
                mask = occupied[code * PRIORITIES + priority] & (REGULAR_BITS | FRESH_BIT)
                full = under_way[code] >= window
                if late:
                    mask = mask & FRESH_BIT if full else np.uint64(0)
                elif full:
                    mask = mask & REGULAR_BITS
                masks[place] = mask
                worth[place] = -1.0
                if mask:
                    cells[place] = _best_cell(mask, order[table_of[code]])
                    worth[place] = values[table_of[code], cells[place]]
                    alive += 1
            while alive > 0:
                best = -1
                for turn in range(n):
                    place = turn + shift if turn + shift < n else turn + shift - n
                    if worth[place] >= 0.0 and (best < 0 or worth[place] > worth[best]):
                        best = place
                if rank == level and value >= worth[best]:
                    return candidate, value, steps
                code = codes[best]
                bucket = (code * PRIORITIES + priority) * CELLS + cells[best]
                limit = WALK if steps < BUDGET else 1
                found, walked = _search(
                    bucket, limit, cursors, ends, links, cards, tasks, assignments, workers, listed, worker
                )
                steps += walked
                if found >= 0:
                    return found, worth[best], steps
                if walked == limit and waits < WAITING:
                    waiting[waits] = bucket
                    waits += 1
                cut = cut or walked == limit
                masks[best] &= ~(np.uint64(1) << np.uint64(cells[best]))
                worth[best] = -1.0
                if masks[best]:
                    cells[best] = _best_cell(masks[best], order[table_of[code]])
                    worth[best] = values[table_of[code], cells[best]]
                else:
                    alive -= 1
            for wait in range(waits):
                if steps >= BUDGET:
                    break
                found, walked = _search(
                    waiting[wait],
                    BUDGET - steps,
                    cursors,
                    ends,
                    links,
                    cards,
                    tasks,
                    assignments,
                    workers,
                    listed,
                    worker,
                )
                steps += walked
                if found >= 0:
                    return found, values[table_of[cards[found].signature], cards[found].cell], steps
    if rank >= 0:
        return candidate, value, steps
    if cut:
        found = _probe(codes, cards, pool_table, pool, tasks, assignments, workers, listed, worker, seed)
        if found < 0:
            found, walked = _search_all(
                codes,
                False,
                cursors,
                ends,
                links,
                cards,
                occupied,
                tasks,
                assignments,
                workers,
                listed,
                worker,
            )
            steps += walked
        if found >= 0:
            return found, values[table_of[cards[found].signature], cards[found].cell], steps
    if candidate >= 0:
        return candidate, value, steps
    found, walked = _search_all(
        codes, True, cursors, ends, links, cards, occupied, tasks, assignments, workers, listed, worker
    )
    return found, 0.0, steps + walked


@njit(cache=True, nogil=True)
def _probe(
    codes: Array,
    cards: Array,
    pool_table: Array,
    pool: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
    seed: int,
) -> int:
    """Draw a few tasks by chance and give the first that fits, or -1."""
    total = total_of(codes, pool_table)
    if total == 0:
        return -1
    for probe in range(PROBES):
        task = at(codes, pool_table, pool, mixed(seed + probe) % total)
        if cards[task].cell != SETTLING and fits(
            cards, tasks, assignments, workers, listed, worker, task, _CROWD
        ):
            return task
    return -1


@njit(cache=True, nogil=True)
def _search_all(
    codes: Array,
    settling: bool,
    cursors: Array,
    ends: Array,
    links: Array,
    cards: Array,
    occupied: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
) -> tuple[int, int]:
    """Search every bucket to its end: the first task that fits or -1, and how many were passed over.

    What is passed over has been seen by the worker's person or denies the worker, so the search is bounded by
    the person's own history and the lists that name the worker.
    """
    steps = 0
    for priority in range(PRIORITIES - 1, -1, -1):
        for place in range(len(codes)):
            level = codes[place] * PRIORITIES + priority
            for cell in range(CELLS):
                if (cell == SETTLING) != settling or not occupied[level] >> np.uint64(cell) & np.uint64(1):
                    continue
                found, walked = _search(
                    level * CELLS + cell,
                    len(links) + 1,
                    cursors,
                    ends,
                    links,
                    cards,
                    tasks,
                    assignments,
                    workers,
                    listed,
                    worker,
                )
                steps += walked
                if found >= 0:
                    return found, steps
    return -1, steps
