"""What breaks in a simulated world: processes, owners, disks, clocks; and how a new process comes up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.process import Process

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.commands import project as wishes
from crowdroute.router.errors import StorageError
from crowdroute.router.events import Batch
from crowdroute.router.machine.shard import Shard

if TYPE_CHECKING:
    from tests.simulation.served import Served
    from tests.simulation.world import World

SECOND = 1_000_000
HOUR = 3_600 * SECOND


def happen(world: World) -> None:
    """Let one thing break, chosen by chance."""
    fault = world.random.choice(FAULTS)
    world.faults[fault.__name__] += 1
    fault(world)


def crash(world: Served) -> None:
    """End the process at this very point; an append under way reaches the disk or does not."""
    die(world, in_flight_survives=world.known.chance(0.5))
    start(world)


def restart(world: Served) -> None:
    """Stop in good order: nothing that was decided is lost, and every caller is told."""
    while not world.process.idle:
        world.advance_disk()
    die(world, in_flight_survives=False)
    start(world)


def take_over(world: Served) -> None:
    """Let another process own the log while this one is frozen; then let it wake up, unaware."""
    while world.process.appending is not None:
        world.advance_disk()
    zombie = world.process
    world.disk.forget_owner()
    start(world)
    for call in world.random.sample(world.network, min(len(world.network), 5)):
        zombie.take(call, world.now_us, world.known.identity())
    writes = bool(zombie.forming.entries)
    try:
        zombie.begin_append()
        zombie.finish_append()
    except StorageError:
        world.faults["fenced"] += 1
    else:
        if writes:
            raise world.failure("a process that lost the log made a batch durable")
    world.network += zombie.end()


def break_disk(world: Served) -> None:
    """Let the append under way, or else the next one, fail."""
    world.process.log.fail()


def take_snapshot(world: Served) -> None:
    """Save a fold of the log, never of the live state."""
    last = world.disk.batches[-1]
    world.snapshots.write(last.sequence, last.chain, world.follower.pack())


def jump(world: World) -> None:
    """Move the clock back or ahead, by seconds, an hour, or more than a day."""
    world.now_us += world.random.choice((-HOUR, HOUR, 5 * SECOND, -5 * SECOND, 25 * HOUR))


def freeze(world: World) -> None:
    """Let the clock stand still for a while."""
    world.frozen = world.random.randint(10, 200)


FAULTS: tuple[Callable[[World], None], ...] = (
    crash,
    crash,
    crash,
    restart,
    take_over,
    break_disk,
    take_snapshot,
    take_snapshot,
    jump,
    freeze,
)


def die(world: Served, *, in_flight_survives: bool) -> None:
    """End the process; before that, see that its live state is what a fold of its entries gives."""
    world.process.core.check()
    undecided = world.process.undecided(world.now_us)
    twin = world.make_core()
    twin.unpack(world.follower.pack())
    twin.apply(Batch(0, tuple(undecided)))
    live = world.process.core.digest()
    world.require_same(twin.digest(), live, "the live state is not what its entries fold to")
    world.network += world.process.end(in_flight_survives=in_flight_survives)
    world.read_log()


def start(world: Served) -> None:
    """Begin a new process after a while, with a state that was folded from the disk alone."""
    away_us = world.random.choice((SECOND, 30 * SECOND, 120 * SECOND))
    world.now_us += away_us
    world.process = Process(world.disk, restored(world))
    folded = world.process.core.digest()
    world.require_same(folded, world.follower.digest(), "two folds of one log differ")
    world.began()
    if world.known.chance(0.7):
        for project in world.projects:
            world.take(world.call(project.stream, wishes.NoteOutage(away_us)))


def restored(world: Served) -> Shard:
    """Give a core folded from a snapshot and the batches after it, or from the first batch on."""
    core = world.make_core()
    after = 0
    snapshots = list(world.snapshots.usable())
    if snapshots and world.known.chance(0.9):
        after, _, sections = world.random.choice(snapshots)
        core.unpack(sections)
    for stored in world.disk.batches[after:]:
        core.apply(decode_batch(stored.body, stored.sequence))
    core.settle()
    return core
