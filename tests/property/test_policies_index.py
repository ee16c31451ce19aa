"""Whatever happened, every open task stands exactly where its standing says, and nothing else stands
anywhere."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.policy.chronicle import Chronicle, Event, schema, story, told

from crowdroute.router.model.states import Purpose, Stage, TaskState
from crowdroute.router.policy.buckets import Buckets
from crowdroute.router.policy.grid import CELLS, FRESH, PRIORITIES, SETTLING
from crowdroute.router.policy.lists import ASIDE, NOWHERE, Lists
from crowdroute.router.policy.placing import UPPER_STAGES
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project


def members(lists: Lists, bucket: int) -> list[int]:
    """Walk a list forwards, and check the way back."""
    task, found = int(lists.ends[bucket, 0]), []
    while task >= 0:
        assert lists.links[task]["bucket"] == bucket
        assert lists.links[task]["prev"] == (found[-1] if found else -1)
        found.append(task)
        task = int(lists.links[task]["next"])
    assert lists.ends[bucket, 1] == (found[-1] if found else -1)
    turns = lists.links["turn"][found].tolist()
    assert turns == sorted(turns)
    return found


def place_of(lists: Lists) -> dict[int, int]:
    """The bucket of every task that stands in a list."""
    return {task: bucket for bucket in range(len(lists.ends)) for task in members(lists, bucket)}


def segment(buckets: Buckets, which: str, key: int) -> list[int]:
    segments = buckets.pools if which == "pools" else buckets.sets
    if key >= len(segments.table):
        return []
    start, count, room = segments.table[key].tolist()
    assert count <= room
    return [int(task) for task in segments.arena[start : start + count]]


def unknown(state: Project) -> list[int]:
    return [task for task in range(state.tasks.count) if state.tasks.purpose[task] not in WITH_KNOWN_ANSWER]


def check_crowd(chronicle: Chronicle, buckets: Buckets) -> None:
    state, cards = chronicle.state, buckets.cards
    standing = place_of(buckets.crowd)
    wanted = {task for task in unknown(state) if state.wanted(task, Stage.CROWD)}
    common = {task for task in wanted if not state.allowed(task)}
    assert set(standing) == common
    for task, bucket in standing.items():
        level, cell = divmod(bucket, CELLS)
        assert divmod(level, PRIORITIES) == (state.tasks.signature[task], cards.priority[task])
        assert cell == cards.cell[task]
    aside = buckets.crowd.links["bucket"] == ASIDE
    assert set(aside.nonzero()[0].tolist()) == wanted - common
    assert (buckets.crowd.links["bucket"][state.tasks.count :] == NOWHERE).all()

    occupied = {(bucket // CELLS, bucket % CELLS) for bucket in standing.values()}
    marked = {
        (level, cell)
        for level, mask in enumerate(buckets.occupied.tolist())
        for cell in range(CELLS)
        if mask >> cell & 1
    }
    assert marked == occupied

    pooled = {signature: segment(buckets, "pools", signature) for signature in range(len(state.signatures))}
    assert Counter(task for pool in pooled.values() for task in pool) == Counter(common)
    for signature, pool in pooled.items():
        assert [state.tasks.signature[task] for task in pool] == [signature] * len(pool)
        assert [cards.place[task] for task in pool] == list(range(1, len(pool) + 1))


def check_cells(chronicle: Chronicle, buckets: Buckets) -> None:
    state, cards, tasks = chronicle.state, buckets.cards, chronicle.state.tasks
    under_way: Counter[int] = Counter()
    for task in unknown(state):
        if not state.wanted(task, Stage.CROWD):
            continue
        labels = tasks.counted_crowd[task] + tasks.counted_senior[task]
        begun = labels + tasks.live_crowd[task] > 0
        assert (cards.cell[task] == FRESH) == (not begun)
        under_way[tasks.signature[task]] += begun
        sure = tasks.purpose[task] == Purpose.PRODUCTION and labels > 0 and not tasks.live_crowd[task]
        if sure and labels >= state.rules.overlap.minimum:
            reached = state.models.confidence(task) >= state.rules.stopping.target
            assert (cards.cell[task] == SETTLING) == reached
    counts = {signature: int(count) for signature, count in enumerate(buckets.under_way) if count}
    assert counts == {signature: count for signature, count in under_way.items() if count}


def check_sets(chronicle: Chronicle, buckets: Buckets) -> None:
    state = chronicle.state
    for worker in range(state.workers.count):
        held = segment(buckets, "sets", worker)
        assert len(held) == len(set(held))
        assert all(worker in state.allowed(task) for task in held)
        due = {
            task
            for task in unknown(state)
            if worker in state.allowed(task) and state.tasks.state[task] == TaskState.OPEN
        }
        assert due <= set(held) | {task for task in due if state.has_seen(worker, task)}


def check_upper(chronicle: Chronicle, buckets: Buckets) -> None:
    state, expected = chronicle.state, {}
    for task in unknown(state):
        for stage in (Stage.SENIOR, Stage.EXPERT):
            if state.wanted(task, stage) and not state.allowed(task):
                level = state.tasks.signature[task] * PRIORITIES + buckets.cards.priority[task]
                expected[task] = level * UPPER_STAGES + stage - Stage.SENIOR
    assert place_of(buckets.upper) == expected


def check_held(state: Project, buckets: Buckets) -> None:
    """See that compiled code would be handed the arrays that are there now, and no older ones."""
    held = buckets.held()
    own = (
        *(table.rows for table in (state.tasks, state.assignments, state.workers)),
        state.listed.values,
        buckets.cards.rows,
        *(buckets.crowd.links, buckets.crowd.ends, buckets.occupied, buckets.under_way),
        *(buckets.pools.table, buckets.pools.arena, buckets.sets.table, buckets.sets.arena),
        *(buckets.upper.links, buckets.upper.ends),
    )
    expected = [array.__array_interface__["data"][0] for array in own]
    assert held[0]["addresses"].tolist()[: len(own)] == expected
    assert held[0]["lengths"].tolist()[: len(own)] == [len(array) for array in own]


@given(schema, story, st.booleans())
@settings(max_examples=60)
def test_every_task_stands_where_its_standing_says(
    labels: tuple[int, ...], events: list[Event], anew: bool
) -> None:
    chronicle = told(labels, 0, events)
    buckets = chronicle.buckets
    for worker in range(chronicle.state.workers.count):
        for policy in chronicle.policies.values():
            policy.pick(worker, Stage.CROWD, chronicle.entropy(worker))
            check_held(chronicle.state, buckets)
    if anew:
        buckets.rebuild()
    else:
        buckets.catch_up()
    check_crowd(chronicle, buckets)
    check_cells(chronicle, buckets)
    check_sets(chronicle, buckets)
    check_upper(chronicle, buckets)
    check_held(chronicle.state, buckets)


@given(schema, story)
@settings(max_examples=40)
def test_building_anew_changes_no_task_s_cell_or_class(labels: tuple[int, ...], events: list[Event]) -> None:
    chronicle = told(labels, 0, events)
    buckets = chronicle.buckets
    # Class shares and time move on without the tasks that they bear on being touched.
    tasks = unknown(chronicle.state)
    for task in tasks:
        buckets.touch(task)
    buckets.catch_up()
    names = [
        "signature",
        "confidence",
        "group",
        "cell",
        "priority",
        "wanted",
        "listed",
        "denies",
        "under_way",
    ]
    before = buckets.cards.rows[tasks][names]
    buckets.rebuild()
    assert (buckets.cards.rows[tasks][names] == before).all()
