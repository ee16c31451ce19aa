"""The dashboard asks for metrics that the engine exports, and for nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector
from tests.unit.docs.documents import REPOSITORY, read

from crowdroute.router.metrics.catalogue import CATALOGUE

DASHBOARD = REPOSITORY / "deploy" / "grafana" / "crowdroute.json"
NAME = re.compile(r"\b(?:crowdroute|process|python|go)_\w+")
LABELS = re.compile(r"(\w+) *(?:=~|!~|!=|=) *\"")
OF_THE_SCRAPE = {"instance"}
"""Labels that Prometheus adds itself."""


def exported() -> dict[str, set[str]]:
    """Give the labels of every series that is exported, by its name."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    series = {sample.name: set[str]() for family in registry.collect() for sample in family.samples}
    for metric in CATALOGUE:
        if metric.kind == "histogram":
            series[f"{metric.name}_bucket"] = {*metric.labels, "le"}
            series[f"{metric.name}_sum"] = series[f"{metric.name}_count"] = set(metric.labels)
        else:
            series[metric.name] = set(metric.labels)
    return series


def problems(query: str) -> list[str]:
    """Say what a query asks for that does not exist."""
    series = exported()
    names = NAME.findall(query)
    if not names:
        return ["it asks for nothing"]
    unknown = [name for name in names if name not in series]
    known = OF_THE_SCRAPE.union(*(series.get(name, set()) for name in names))
    grouped = [label for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(", ")]
    return unknown + [label for label in (*LABELS.findall(query), *grouped) if label not in known]


def board() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return loaded


def queries() -> list[str]:
    variables = [each["query"]["query"] for each in board()["templating"]["list"] if each["type"] == "query"]
    return variables + [target["expr"] for panel in board()["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("query", queries())
def test_a_query_uses_series_and_labels_that_are_exported(query: str) -> None:
    assert problems(query) == []


def rules() -> list[dict[str, Any]]:
    blocks = re.findall(r"```yaml\n(- alert:.*?)```", read("docs/operations.md"), re.DOTALL)
    return [rule for block in blocks for rule in yaml.safe_load(block)]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_rule_of_the_guide_uses_series_that_are_exported(rule: dict[str, Any]) -> None:
    assert problems(rule["expr"]) == []
    assert rule["annotations"]["summary"]


def test_a_query_for_what_does_not_exist_is_found() -> None:
    assert problems("rate(crowdroute_answers_total[5m])") == ["crowdroute_answers_total"]
    assert problems("crowdroute_call_duration_seconds") == ["crowdroute_call_duration_seconds"]
    assert problems('crowdroute_open_tasks{worker="x"}') == ["worker"]
    assert problems("sum by (task) (crowdroute_open_tasks)") == ["task"]
    assert problems("up") == ["it asks for nothing"]


def test_every_metric_that_tells_how_work_goes_is_shown() -> None:
    shown = {name for query in queries() for name in NAME.findall(query)}
    for metric in CATALOGUE:
        if metric.name != "crowdroute_scrape_complete":
            assert any(name.startswith(metric.name) for name in shown), metric.name


def test_the_panels_have_numbers_and_places_of_their_own() -> None:
    panels = board()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    assert len({(place["x"], place["y"]) for place in places}) == len(panels)
    assert all(place["x"] + place["w"] <= 24 for place in places)
