"""Compiled loops that find a task for a worker among those that `placing` put in order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crowdroute.router.model.states import Stage
from crowdroute.router.policy.cards import INSIDE, SEEN
from crowdroute.router.policy.grid import CELLS, FRESH, SETTLING
from crowdroute.router.policy.segments import COUNT, START

Array = NDArray[Any]

PRIORITIES = 4
_CROWD = int(Stage.CROWD)

FRESH_BIT = np.uint64(1 << FRESH)
REGULAR_BITS = np.uint64((1 << SETTLING) - 1)

WALK = 16
"""Tasks of one bucket that are looked at before the next bucket is tried."""
BUDGET = 512
"""Tasks looked at in all before priority gives way to speed; about 30 µs."""
PROBES = 64
"""Tasks drawn by chance before the exact walk: they end it early unless the worker has seen nearly
everything."""
CANDIDATES_LOOKED_AT = 512
"""Candidates of a worker that are compared; among more, a stretch that begins at a chance place."""

NOBODY = -100
"""A rank below every other."""


@njit(cache=True, nogil=True)
def _mixed(state: int) -> Any:
    """Give the number after `state` of a Weyl sequence, scrambled (splitmix64, Steele et al. 2014), as 63
    bits."""
    z = np.uint64(state) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = (z ^ (z >> np.uint64(31))) >> np.uint64(1)
    return np.int64(z)


@njit(cache=True, nogil=True)
def has_seen(cards: Array, tasks: Array, assignments: Array, workers: Array, worker: int, task: int) -> bool:
    """Say what `Project.has_seen` says."""
    person = workers[worker].person
    count = cards[task].seen_count
    seen = False
    if count <= SEEN:
        for place in range(count):
            seen = seen or workers[cards[task].seen[place]].person == person
        return seen
    row = tasks[task].first_assignment
    while row >= 0:
        if workers[assignments[row].worker].person == person:
            return True
        row = assignments[row].next_of_task
    return False


@njit(cache=True, nogil=True)
def _is_denied(tasks: Array, listed: Array, worker: int, task: int) -> bool:
    start = tasks[task].deny_start
    denied = False
    for place in range(start, start + tasks[task].deny_count):
        denied = denied or listed[place, 0] == worker
    return denied


@njit(cache=True, nogil=True)
def _fits(
    cards: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
    task: int,
    stage: int,
) -> bool:
    """Say whether slots, deny list and history allow the worker on the task."""
    if not cards[task].wanted >> stage & 1:
        return False
    if cards[task].denies and _is_denied(tasks, listed, worker, task):
        return False
    return not has_seen(cards, tasks, assignments, workers, worker, task)


@njit(cache=True, nogil=True)
def _walk(
    start: int,
    limit: int,
    links: Array,
    cards: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
) -> tuple[int, int, int]:
    """Follow a list for at most `limit` tasks: the first that fits or -1, where to go on or -1, how many were
    looked at."""
    task, walked = start, 0
    while task >= 0 and walked < limit:
        if _fits(cards, tasks, assignments, workers, listed, worker, task, _CROWD):
            return task, -1, walked + 1
        task = links[task].next
        walked += 1
    return -1, task, walked


@njit(cache=True, nogil=True)
def _best_candidate(
    table_of: Array,
    values: Array,
    cards: Array,
    links: Array,
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
            better = links[task].turn < links[best].turn
        if better and not (card.denies and _is_denied(tasks, listed, worker, task)):
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
    codes: Array,
    table_of: Array,
    values: Array,
    order: Array,
    cards: Array,
    links: Array,
    ends: Array,
    occupied: Array,
    under_way: Array,
    window: int,
    pool_table: Array,
    pool: Array,
    set_table: Array,
    sets: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
    seed: int,
) -> tuple[int, float]:
    """Give the crowd task that is worth most to the worker, and its value in bits; (-1, 0) when no task fits.

    `codes` are the signatures the worker may be given, `table_of` (signatures,) their value tables, -1 for
    the others; `values` and `order` (tables, 64) hold every cell's value and the cells from the best to the
    worst. Order of choice: priority class; within it begun tasks, and fresh ones while fewer than `window`
    are under way in their signature; then the other fresh ones; within these the value. Tasks about to be
    settled come after everything else.
    """
    candidate, rank, value = _best_candidate(
        table_of,
        values,
        cards,
        links,
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
    waiting = np.empty(CELLS, np.int64)
    shift = seed % n if n > 0 else 0
    steps, cut = 0, False

    for priority in range(PRIORITIES - 1, -1, -1):
        for late in range(2):
            level = 2 * priority + 1 - late
            if rank > level:
                return candidate, value
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
                    return candidate, value
                code = codes[best]
                bucket = (code * PRIORITIES + priority) * CELLS + cells[best]
                found, rest, walked = _walk(
                    ends[bucket, 0], WALK, links, cards, tasks, assignments, workers, listed, worker
                )
                if found >= 0:
                    return found, worth[best]
                steps += walked
                if rest >= 0:
                    if waits < len(waiting):
                        waiting[waits] = rest
                        waits += 1
                    else:
                        cut = True
                masks[best] &= ~(np.uint64(1) << np.uint64(cells[best]))
                worth[best] = -1.0
                if masks[best]:
                    cells[best] = _best_cell(masks[best], order[table_of[code]])
                    worth[best] = values[table_of[code], cells[best]]
                else:
                    alive -= 1
            for wait in range(waits):
                found, rest, walked = _walk(
                    waiting[wait],
                    max(BUDGET - steps, 0),
                    links,
                    cards,
                    tasks,
                    assignments,
                    workers,
                    listed,
                    worker,
                )
                if found >= 0:
                    return found, values[table_of[cards[found].signature], cards[found].cell]
                steps += walked
                cut = cut or rest >= 0
    if rank >= 0:
        return candidate, value
    if cut:
        found = _probe(codes, cards, pool_table, pool, tasks, assignments, workers, listed, worker, seed)
        if found < 0:
            found = _walk_all(
                codes, False, cards, links, ends, occupied, tasks, assignments, workers, listed, worker
            )
        if found >= 0:
            return found, values[table_of[cards[found].signature], cards[found].cell]
    if candidate >= 0:
        return candidate, value
    found = _walk_all(codes, True, cards, links, ends, occupied, tasks, assignments, workers, listed, worker)
    if found >= 0:
        return found, values[table_of[cards[found].signature], SETTLING]
    return -1, 0.0


@njit(cache=True, nogil=True)
def _total(codes: Array, pool_table: Array) -> int:
    total = 0
    for place in range(len(codes)):
        total += pool_table[codes[place], COUNT]
    return total


@njit(cache=True, nogil=True)
def _at(codes: Array, pool_table: Array, pool: Array, index: int) -> int:
    """Give the task at a position of the pools of these signatures, taken one after the other."""
    for place in range(len(codes)):
        count = pool_table[codes[place], COUNT]
        if index < count:
            return int(pool[pool_table[codes[place], START] + index])
        index -= count
    return -1


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
    total = _total(codes, pool_table)
    if total == 0:
        return -1
    for probe in range(PROBES):
        task = _at(codes, pool_table, pool, _mixed(seed + probe) % total)
        if cards[task].cell != SETTLING and _fits(
            cards, tasks, assignments, workers, listed, worker, task, _CROWD
        ):
            return task
    return -1


@njit(cache=True, nogil=True)
def _walk_all(
    codes: Array,
    settling: bool,
    cards: Array,
    links: Array,
    ends: Array,
    occupied: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
) -> int:
    """Walk every list to its end and give the first task that fits, or -1.

    Whatever is passed over has been seen by the worker's person or denies the worker, so the walk is bounded
    by the person's own history and the lists that name the worker.
    """
    for priority in range(PRIORITIES - 1, -1, -1):
        for place in range(len(codes)):
            level = codes[place] * PRIORITIES + priority
            for cell in range(CELLS):
                if (cell == SETTLING) != settling or not occupied[level] >> np.uint64(cell) & np.uint64(1):
                    continue
                found, _, _ = _walk(
                    ends[level * CELLS + cell, 0],
                    len(tasks),
                    links,
                    cards,
                    tasks,
                    assignments,
                    workers,
                    listed,
                    worker,
                )
                if found >= 0:
                    return found
    return -1


@njit(cache=True, nogil=True)
def draw(
    codes: Array,
    table_of: Array,
    cards: Array,
    pool_table: Array,
    pool: Array,
    set_table: Array,
    sets: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
    seed: int,
) -> tuple[int, int]:
    """Draw one task from the worker's pools and candidates, and give it (-1 if it does not fit) and among how
    many."""
    pooled = _total(codes, pool_table)
    total = pooled + set_table[worker, COUNT]
    if total == 0:
        return -1, 0
    index = _mixed(seed) % total
    if index < pooled:
        task = _at(codes, pool_table, pool, index)
    else:
        task = sets[set_table[worker, START] + index - pooled]
        if table_of[cards[task].signature] < 0:
            return -1, total
    if not _fits(cards, tasks, assignments, workers, listed, worker, task, _CROWD):
        return -1, total
    return task, total


@njit(cache=True, nogil=True)
def first(
    codes: Array,
    table_of: Array,
    cards: Array,
    links: Array,
    ends: Array,
    width: int,
    offset: int,
    set_table: Array,
    sets: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
    stage: int,
) -> int:
    """Give the fitting task of the highest priority whose turn is the earliest, or -1.

    The lists have `width` buckets per signature and priority, of which the one at `offset` is walked.
    """
    for priority in range(PRIORITIES - 1, -1, -1):
        best, best_turn = -1, np.int64(0)
        for place in range(set_table[worker, COUNT]):
            task = sets[set_table[worker, START] + place]
            if cards[task].priority != priority or table_of[cards[task].signature] < 0:
                continue
            if (best < 0 or links[task].turn < best_turn) and _fits(
                cards, tasks, assignments, workers, listed, worker, task, stage
            ):
                best, best_turn = task, links[task].turn
        for place in range(len(codes)):
            task = ends[(codes[place] * PRIORITIES + priority) * width + offset, 0]
            while task >= 0 and (best < 0 or links[task].turn < best_turn):
                if _fits(cards, tasks, assignments, workers, listed, worker, task, stage):
                    best, best_turn = task, links[task].turn
                task = links[task].next
        if best >= 0:
            return best
    return -1


FEW = 64
"""Tasks among which the one to give is drawn after looking at each; among more, draws are repeated until one
fits."""


@njit(cache=True, nogil=True)
def any_of_all(
    codes: Array,
    table_of: Array,
    cards: Array,
    pool_table: Array,
    pool: Array,
    set_table: Array,
    sets: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
    seed: int,
) -> tuple[int, int]:
    """Give a fitting task by chance, all alike, and among how many it was drawn; (-1, 0) when none fits.

    Exact among at most `FEW`; otherwise the number counts tasks that do not fit too, and after `PROBES` draws
    that did not, the next fitting one after the last draw is taken.
    """
    pooled = _total(codes, pool_table)
    start, count = set_table[worker, START], set_table[worker, COUNT]
    total = pooled + count
    if total == 0:
        return -1, 0
    fitting = np.empty(FEW if total <= FEW else 1, np.int64)
    n_fitting, begin = 0, 0
    for probe in range(PROBES if total > FEW else 0):
        begin = _mixed(seed + probe) % total
        task = _at(codes, pool_table, pool, begin) if begin < pooled else sets[start + begin - pooled]
        if table_of[cards[task].signature] >= 0 and _fits(
            cards, tasks, assignments, workers, listed, worker, task, _CROWD
        ):
            return task, total
    for step in range(total):
        index = (begin + step) % total
        task = _at(codes, pool_table, pool, index) if index < pooled else sets[start + index - pooled]
        if table_of[cards[task].signature] < 0 or not _fits(
            cards, tasks, assignments, workers, listed, worker, task, _CROWD
        ):
            continue
        if total > FEW:
            return task, total
        fitting[n_fitting] = task
        n_fitting += 1
    if n_fitting == 0:
        return -1, 0
    return fitting[_mixed(seed) % n_fitting], n_fitting


@njit(cache=True, nogil=True)
def stale(tables: Array, matrices: Array, versions: Array, stamps: Array, out: Array) -> int:
    """Write the value tables whose matrix has moved by more than a quarter since, and give how many they
    are."""
    count = 0
    for place in range(len(tables)):
        stamp = stamps[tables[place]]
        if 4 * (versions[matrices[place]] - stamp) > stamp:
            out[count] = place
            count += 1
    return count
