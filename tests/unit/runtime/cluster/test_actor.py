"""How an actor follows its orders."""

import asyncio

import pytest
from tests.support.fake_fleet import FakeFleet

from crowdroute.router.runtime.cluster.orders import At, Charge, Held, Order, Stage


@pytest.fixture
def fleet() -> FakeFleet:
    made = FakeFleet("node-a")
    made.begin("actor-0", "node-a")
    return made


def order(generation: int, *, life: str = "life-1", **charges: Charge) -> Order:
    return Order(life, generation, {int(name[1:]): charge for name, charge in charges.items()}, {})


async def follow(fleet: FakeFleet, given: Order) -> dict[int, Held]:
    actor = fleet.processes["actor-0"].actor
    actor.obey(given)
    settling = asyncio.ensure_future(actor.settle())
    while not settling.done():
        await fleet.let_work()
    return actor.standing().held


async def test_a_shard_is_opened_by_its_grant(fleet: FakeFleet) -> None:
    assert await follow(fleet, order(3, s0=Charge(3, serve=True))) == {0: Held(3, Stage.SERVING)}


async def test_an_order_to_an_earlier_life_is_not_followed(fleet: FakeFleet) -> None:
    assert await follow(fleet, order(3, life="life-0", s0=Charge(3, serve=True))) == {}


async def test_an_order_that_comes_late_is_not_followed(fleet: FakeFleet) -> None:
    await follow(fleet, order(4))
    assert await follow(fleet, order(3, s0=Charge(3, serve=True))) == {}


async def test_a_recalled_shard_is_handed_over(fleet: FakeFleet) -> None:
    await follow(fleet, order(3, s0=Charge(3, serve=True)))
    assert await follow(fleet, order(4, s0=Charge(3, serve=False))) == {0: Held(3, Stage.RELEASED)}
    assert fleet.logs.owners == {}


async def test_a_shard_is_not_opened_twice_by_one_grant(fleet: FakeFleet) -> None:
    await follow(fleet, order(3, s0=Charge(3, serve=True)))
    await follow(fleet, order(4, s0=Charge(3, serve=False)))
    assert await follow(fleet, order(5, s0=Charge(3, serve=True))) == {0: Held(3, Stage.RELEASED)}


async def test_a_shard_recalled_before_its_grant_came_in_is_never_opened_by_it(fleet: FakeFleet) -> None:
    await follow(fleet, order(4, s0=Charge(3, serve=False)))
    assert await follow(fleet, order(4, s0=Charge(3, serve=True))) == {0: Held(3, Stage.RELEASED)}


async def test_a_newer_grant_opens_a_shard_again(fleet: FakeFleet) -> None:
    await follow(fleet, order(3, s0=Charge(3, serve=True)))
    assert await follow(fleet, order(5, s0=Charge(5, serve=True))) == {0: Held(5, Stage.SERVING)}
    assert [claim.generation for claim in fleet.logs.claims[0]] == [3, 5]


async def test_a_shard_that_an_order_does_not_name_is_given_back(fleet: FakeFleet) -> None:
    await follow(fleet, order(3, s0=Charge(3, serve=True)))
    assert await follow(fleet, order(4)) == {0: Held(3, Stage.RELEASED)}


async def test_a_shard_recalled_while_it_opens_is_opened_and_handed_over(fleet: FakeFleet) -> None:
    fleet.processes["actor-0"].actor.obey(order(3, s0=Charge(3, serve=True)))
    await asyncio.sleep(0)
    assert fleet.processes["actor-0"].actor.standing().held == {0: Held(3, Stage.OPENING)}
    assert await follow(fleet, order(4, s0=Charge(3, serve=False))) == {0: Held(3, Stage.RELEASED)}


async def test_a_void_claim_tells_which_generation_counts(fleet: FakeFleet) -> None:
    await follow(fleet, order(9, s0=Charge(9, serve=True)))
    fleet.crash("actor-0")
    fleet.restart("actor-0")
    held = await follow(fleet, order(3, life="life-3", s0=Charge(3, serve=True)))
    assert held == {0: Held(3, Stage.FAILED, "the claim is void")}
    assert fleet.processes["actor-0"].actor.standing().least == 9


async def test_who_serves_what_is_made_known(fleet: FakeFleet) -> None:
    await follow(fleet, Order("life-1", 1, {}, {5: At("10.0.0.2:7000")}))
    assert fleet.processes["actor-0"].hosting.owners == {5: At("10.0.0.2:7000")}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(13, "Permission denied", "/srv/logs"), "[Errno 13] Permission denied: '/srv/logs'"),
        (KeyError("x"), "a defect (KeyError): the log of the process has the rest"),
    ],
)
async def test_what_nobody_foresaw_keeps_a_shard_from_being_opened_and_is_told(
    fleet: FakeFleet, error: Exception, told: str
) -> None:
    fleet.unforeseen = error
    assert await follow(fleet, order(3, s0=Charge(3, serve=True))) == {0: Held(3, Stage.FAILED, told)}
    fleet.unforeseen = None
    assert await follow(fleet, order(4, s0=Charge(4, serve=True))) == {0: Held(4, Stage.SERVING)}


async def test_a_shard_that_closed_in_disorder_is_released_all_the_same(fleet: FakeFleet) -> None:
    await follow(fleet, order(3, s0=Charge(3, serve=True)))
    fleet.unforeseen = KeyError("x")
    assert await follow(fleet, order(4, s0=Charge(3, serve=False))) == {0: Held(3, Stage.RELEASED)}
