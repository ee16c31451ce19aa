"""Gold, training and qualification tasks are given once per person, in no order anyone could learn."""

from __future__ import annotations

from tests.unit.policy.world import World

from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Id, derive
from crowdroute.router.model.states import Purpose
from crowdroute.router.policy.known import KnownTasks

ENTROPY: Id = b"sixteen bytes ok"
YES = (Choice(0, 1),)


def followed(world: World) -> KnownTasks:
    known = KnownTasks(world.state)
    known.rebuild()
    world.followers.append(known)
    return known


def test_each_purpose_has_its_own_tasks() -> None:
    world = World()
    worker = world.worker()
    known = followed(world)
    tasks = {
        purpose: world.task(planned=0, purpose=purpose, gold=YES)
        for purpose in (Purpose.GOLD, Purpose.TRAINING, Purpose.QUALIFICATION)
    }
    world.task()
    for purpose, task in tasks.items():
        assert known.pick(worker, purpose, ENTROPY) == task


def test_a_person_meets_each_task_once_through_all_their_workers() -> None:
    world = World()
    person = world.new_id()
    one, same, other = world.worker(person=person), world.worker(person=person), world.worker()
    known = followed(world)
    tasks = {world.task(planned=0, purpose=Purpose.GOLD, gold=YES) for _ in range(4)}
    met = set()
    for number, worker in enumerate((one, same, one, same)):
        task = known.pick(worker, Purpose.GOLD, derive(ENTROPY, number))
        assert task is not None
        met.add(task)
        world.grant(worker, task)
    assert met == tasks
    assert known.pick(one, Purpose.GOLD, ENTROPY) is None
    assert known.pick(other, Purpose.GOLD, ENTROPY) in tasks


def test_where_the_search_begins_depends_on_chance() -> None:
    world = World()
    worker = world.worker()
    known = followed(world)
    tasks = {world.task(planned=0, purpose=Purpose.GOLD, gold=YES) for _ in range(5)}
    assert {known.pick(worker, Purpose.GOLD, derive(ENTROPY, number)) for number in range(1, 60)} == tasks


def test_requirements_and_lists_are_respected() -> None:
    world = World()
    worker, other = world.worker("read"), world.worker("write")
    known = followed(world)
    world.task("write", planned=0, purpose=Purpose.GOLD, gold=YES, deny=[other])
    listed = world.task("read", planned=0, purpose=Purpose.GOLD, gold=YES, allow=[worker])
    world.task("read", planned=0, purpose=Purpose.GOLD, gold=YES, allow=[other])
    assert {known.pick(worker, Purpose.GOLD, derive(ENTROPY, number)) for number in range(1, 20)} == {listed}
    assert known.pick(other, Purpose.GOLD, ENTROPY) is None


def test_a_cancelled_task_is_given_no_more() -> None:
    world = World()
    worker = world.worker()
    known = followed(world)
    tasks = [world.task(planned=0, purpose=Purpose.GOLD, gold=YES) for _ in range(3)]
    for task in tasks[:2]:
        world.cancel(task)
    assert known.pick(worker, Purpose.GOLD, ENTROPY) == tasks[2]


def test_what_was_met_before_the_index_was_built_is_known() -> None:
    world = World()
    worker = world.worker()
    task = world.task(planned=0, purpose=Purpose.GOLD, gold=YES)
    world.label(worker, task, 1)
    assert followed(world).pick(worker, Purpose.GOLD, ENTROPY) is None
