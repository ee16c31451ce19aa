"""How a cluster is shown to people."""

import pytest
from rich.console import Console

from crowdroute.router.cli.cluster_view import print_overview
from crowdroute.router.cli.output import console
from crowdroute.router.model.placement import Wanted
from crowdroute.router.runtime.cluster.overview import ActorState, ActorView, NodeView, Overview, ShardView

NODE = "6e655e23deb513503e52ce09"


def seen(**but: object) -> Overview:
    about: dict[str, object] = {
        "generation": 7,
        "wanted": Wanted(2, 1),
        "fleet_answers": True,
        "resting": True,
        "retiring": [],
        "nodes": [NodeView(NODE, "10.0.0.5", False, ["actor-0"])],
        "actors": [ActorView("actor-0", ActorState.SERVING, NODE, "10.0.0.5:7070", 42, "life", [0], "")],
        "shards": [
            ShardView(0, "serving", "actor-0", "10.0.0.5:7071", 6, "actor-0", True, ""),
            ShardView(1, "failed", "actor-0", "", 7, "actor-1", False, "the log is damaged"),
        ],
    }
    return Overview(**(about | but))  # type: ignore[arg-type]


def shown(overview: Overview, capsys: pytest.CaptureFixture[str]) -> list[str]:
    made: Console = console()
    print_overview(overview, made)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_nodes_actors_and_shards_are_rows(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(seen(), capsys)
    assert "6e655e23deb5 10.0.0.5 actor-0" in lines
    assert "actor-0 serving 10.0.0.5 10.0.0.5:7070 42 0" in lines
    assert "0 serving actor-0 10.0.0.5:7071 6 pinned" in lines
    assert "1 failed actor-0 – 7 to actor-1 the log is damaged" in lines


@pytest.mark.parametrize(
    ("but", "told"),
    [
        ({}, "generation 7: as wanted"),
        ({"resting": False}, "generation 7: on the way to what is wanted"),
        ({"retiring": ["actor-0"]}, "generation 7: restarting, still to go: actor-0"),
        ({"wanted": Wanted(2, 0)}, "generation 7: down"),
        ({"wanted": Wanted(2, 0), "resting": False}, "generation 7: going down"),
        (
            {"fleet_answers": False},
            "Ray's head does not answer: actors serve on, nothing is started or moved until it is back",
        ),
    ],
)
def test_the_last_line_says_how_it_stands(
    but: dict[str, object], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(seen(**but), capsys)[-1] == told


def test_an_empty_cluster_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(seen(nodes=[], actors=[], shards=[]), capsys)
    assert {"Ray has no living node that offers processors", "no actors run", "there are no shards"} <= set(
        lines
    )
