"""Positions that nodes share, so that a copy can begin at one."""

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.support.fake_folder import FakeFolder

from crowdroute.router.adapters.codec import CHAIN_START, assemble, chain
from crowdroute.router.adapters.kafka_position import Position, encode_position
from crowdroute.router.adapters.kafka_records import DIGEST_BYTES, NONCE_BYTES, Epoch
from crowdroute.router.adapters.shared_positions import (
    APART,
    MOST_BATCHES,
    MOST_WAITING,
    PositionKeeper,
    SharedPosition,
    keep_positions,
    newest_position,
    position_at,
)
from crowdroute.router.adapters.snapshot_format import snapshot_name
from crowdroute.router.errors import StorageError
from crowdroute.router.ports import StoredBatch

TOPIC = b"t" * 16


def shared(sequence: int, topic_id: bytes = TOPIC) -> SharedPosition:
    body = assemble(sequence, [])
    batch = StoredBatch(sequence, 0, chain(CHAIN_START, body), body)
    position = Position(
        topic_id=topic_id,
        next_offset=sequence + 1,
        claims=(Epoch(0, b"n" * NONCE_BYTES),),
        sequence=sequence,
        chain=batch.chain,
        anchor=b"d" * DIGEST_BYTES,
    )
    return SharedPosition(encode_position(position), ((1, 0),), (batch,))


def snapshot(folder: FakeFolder, sequence: int) -> None:
    folder.write(snapshot_name(sequence), b"a snapshot")


def positions(folder: FakeFolder) -> list[str]:
    return [name for name in folder.names() if name.startswith("position-")]


def log_of(*times_us: int) -> list[StoredBatch]:
    """Give the batches of a log, each of which tells its time, or none by 0."""
    bodies = [assemble(number, [], alive_us=time_us) for number, time_us in enumerate(times_us, 1)]
    return [StoredBatch(number, 0, CHAIN_START, body) for number, body in enumerate(bodies, 1)]


@pytest.mark.parametrize(
    ("times_us", "floor", "taken"),
    [
        ((5,), 0, [1]),
        ((0, 0), 0, [1, 2]),
        ((5, 6, 7), 0, [2, 3]),
        ((5, 6, 0, 0), 0, [1, 2, 3, 4]),
        ((5, 6, 7, 0), 0, [2, 3, 4]),
        ((5, 6, 7, 0), 1, [2, 3, 4]),
        ((5, 6, 7, 0), 2, None),
        ((5, *[0] * MOST_BATCHES), 0, None),
    ],
)
def test_with_a_position_go_the_batches_back_to_one_that_tells_the_time_and_the_one_before(
    times_us: tuple[int, ...], floor: int, taken: list[int] | None
) -> None:
    batches = log_of(*times_us)
    position = Position(TOPIC, len(batches), sequence=len(batches))
    found = position_at(position, ((1, 0),), floor, lambda after: iter(batches[after:]))
    assert (None if found is None else [each.sequence for each in found.batches]) == taken


def test_a_position_is_kept_once_a_snapshot_is_as_far_and_read_as_it_was() -> None:
    folder = FakeFolder()
    keeper = PositionKeeper(folder)
    keeper.note(shared(10))
    keeper.look()
    snapshot(folder, 9)
    keeper.look()
    assert not positions(folder), "who began there would have to fold what it has not"
    snapshot(folder, 10)
    keeper.look()
    assert newest_position(folder, TOPIC) == shared(10)


def test_the_newest_position_that_a_snapshot_covers_takes_the_place_of_the_one_before() -> None:
    folder = FakeFolder()
    keeper = PositionKeeper(folder)
    for sequence in (10, 10 + APART, 10 + 2 * APART, 10 + 3 * APART):
        keeper.note(shared(sequence))
    snapshot(folder, 11 + 2 * APART)
    keeper.look()
    assert newest_position(folder, TOPIC) == shared(10 + 2 * APART)
    snapshot(folder, 10 + 5 * APART)
    keeper.look()
    assert newest_position(folder, TOPIC) == shared(10 + 3 * APART)
    assert len(positions(folder)) == 1


def test_positions_that_are_near_to_each_other_do_not_all_wait() -> None:
    folder = FakeFolder()
    keeper = PositionKeeper(folder)
    for sequence in range(1, APART):
        keeper.note(shared(sequence))
    for number in range(2 * MOST_WAITING):
        keeper.note(shared((number + 2) * APART))
    snapshot(folder, APART)
    keeper.look()
    assert newest_position(folder, TOPIC) == shared(1)
    snapshot(folder, 1000 * APART)
    keeper.look()
    assert newest_position(folder, TOPIC) == shared(MOST_WAITING * APART)


def test_a_position_of_another_topic_or_a_damaged_one_is_passed_over() -> None:
    folder = FakeFolder()
    for one in (shared(1), shared(2, b"u" * 16), shared(3)):
        keeper = PositionKeeper(folder)
        keeper.note(one)
        snapshot(folder, one.batches[-1].sequence)
        kept = dict(folder.objects)
        keeper.look()
        folder.objects = kept | folder.objects
    (last,) = positions(folder)[-1:]
    folder.write(last, folder.read(last)[:-1] + b"x")
    assert newest_position(folder, TOPIC) == shared(1)
    assert newest_position(folder, b"v" * 16) is None


class Away(FakeFolder):
    """A folder that cannot be reached."""

    def names(self) -> list[str]:
        raise StorageError("nobody answers")


def test_without_a_way_to_the_folder_a_copy_begins_at_the_beginning() -> None:
    assert newest_position(Away(), TOPIC) is None


@pytest.mark.parametrize("folder", [FakeFolder(), Away()], ids=["there", "away"])
async def test_a_log_goes_on_whatever_becomes_of_its_positions(folder: FakeFolder) -> None:
    snapshot(folder, 20)
    told = iter([None, shared(10)])
    asked = asyncio.Event()

    def position() -> SharedPosition | None:
        found = next(told, None)
        if found is not None:
            asked.set()
        return found

    keeping = asyncio.create_task(keep_positions(position, folder, 0.0))
    await asyncio.wait_for(asked.wait(), 10)
    while not isinstance(folder, Away) and not positions(folder):
        await asyncio.sleep(0)
    assert not keeping.done()
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping


class Hanging(FakeFolder):
    """A folder whose store takes a question and says nothing until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.goes_on = threading.Event(), threading.Event()

    def names(self) -> list[str]:
        self.asked.set()
        self.goes_on.wait()
        return super().names()


async def test_a_store_that_hangs_takes_no_thread_that_others_need() -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    folder = Hanging()
    keeping = asyncio.create_task(keep_positions(lambda: None, folder, 0.0))
    async with asyncio.timeout(10):
        while not folder.asked.is_set():
            await asyncio.sleep(0)
        await asyncio.to_thread(int)
    folder.goes_on.set()
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
