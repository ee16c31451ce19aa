"""Clusters and records that are made up."""

from __future__ import annotations

from crowdroute.router.demo.cluster.flow import Flow, ProjectFlow
from crowdroute.router.demo.pictures import Picture
from crowdroute.router.feeds.told import FieldRecord, ResultRecord
from crowdroute.router.model.placement import Wanted
from crowdroute.router.runtime.cluster.orders import Stage
from crowdroute.router.runtime.cluster.overview import ActorState, ActorView, NodeView, Overview, ShardView

PIXELS = ((0, 16), (16, 0))


def picture(number: int, digit: int = 3) -> Picture:
    return Picture(number, PIXELS, digit)


def result(
    shard: int, place: int, number: int, *, revision: int = 1, label: str = "3", project: str = "prj_a"
) -> ResultRecord:
    """A revision of a picture's result, told by a shard at a place of its log."""
    return ResultRecord(
        id=f"{shard:02d}-{place:012d}",
        at="2026-11-26T20:00:00Z",
        project="digits-a",
        project_id=project,
        task_id=f"tsk_{number}",
        item_id=f"itm_{number}",
        external_id=f"digit-{number}",
        batch="",
        revision=revision,
        fields={"label": FieldRecord(label=label, probabilities={label: 1.0})},
        confidence=1.0,
        reason="confident",
        correction_reason="",
        counted=2,
        rules_version=1,
        model_version=1,
    )


def flow(*numbers: int) -> Flow:
    """One project of pictures that all show a three."""
    return Flow([ProjectFlow("digits-a", "prj_a", 0, [picture(number) for number in numbers])])


def actor(number: int, life: str, state: ActorState, shards: list[int]) -> ActorView:
    address = f"127.0.0.2:{7000 + number}"
    return ActorView(f"actor-{number}", state, "node", address, 100 + number, life, shards, "")


def shard(number: int, owner: int, generation: int, stage: str = Stage.SERVING) -> ShardView:
    address = f"127.0.0.2:{7000 + owner}"
    return ShardView(number, stage, f"actor-{owner}", address, generation, f"actor-{owner}", False, "")


def overview(actors: list[ActorView], shards: list[ShardView], resting: bool = True) -> Overview:
    node = NodeView("node", "127.0.0.2", False, [one.name for one in actors])
    return Overview(1, Wanted(2, 2), True, resting, [], [node], actors, shards)
