"""`crowdroute aggregate` on pairwise preferences: a consensus for every pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from crowdroute.aggregation.file_tables import Table
from crowdroute.aggregation.kinds import PAIRWISE
from crowdroute.aggregation.pair_models import PAIR_MODELS, PairFindings
from crowdroute.aggregation.pairs import EQUAL, FIRST, SECOND, comparisons_of, gold_of_pairs
from crowdroute.aggregation.report import Report, Tile
from crowdroute.aggregation.report.choice import choice_report
from crowdroute.aggregation.report.document import percent, span
from crowdroute.router.cli.aggregating_choice import (
    Step,
    check_model,
    find_choice,
    judge_choice,
    predicted_by,
    summary_of,
    told_of,
)
from crowdroute.router.cli.aggregating_outcome import Outcome


def aggregate_pairs(
    table: Table, gold: Table | None, model: str, title: str, begin: Step, advance: Callable[[], None]
) -> Outcome:
    """Aggregate by a model of preferences, or take each pair for a task whose answers are labels."""
    comparisons = comparisons_of(table)
    known = {} if gold is None else gold_of_pairs(comparisons, gold)
    preferences: PairFindings | None = None
    if model in PAIR_MODELS:
        begin("fitting", 1)
        preferences = PAIR_MODELS[model](comparisons)
        advance()
        found = judge_choice(
            comparisons.annotations, known, model, None, preferences.posteriors, begin, advance
        )
    else:
        check_model(model, PAIRWISE, PAIR_MODELS)
        found = find_choice(comparisons.annotations, known, model, begin, advance)
    labels = [str(label) for label in found.annotations.label_ids]
    pairs = {task: comparisons.pairs[int(task)] for task in map(str, found.annotations.task_ids)}
    # Only here do pairs get the names that people read.
    names = dict(zip(pairs, _names(list(pairs.values())), strict=True))
    findings = replace(
        found,
        annotations=replace(found.annotations, task_ids=tuple(names.values())),
        disputed=tuple(replace(one, task=names[str(one.task)]) for one in found.disputed),
    )
    rows = []
    for (task, answer), chances in zip(predicted_by(found).items(), found.posteriors.tolist(), strict=True):
        left, right = pairs[task]
        winner = {FIRST: left, SECOND: right}.get(answer, EQUAL)
        chance = dict(zip(labels, chances, strict=True))
        rows.append((left, right, winner, chance[FIRST], chance[SECOND], chance.get(EQUAL, 0.0)))
    bias = comparisons.chose_left
    summary = {"kind": PAIRWISE, **summary_of(findings, predicted_by(findings), labels)}
    lines = told_of(findings, known)
    if preferences is not None and preferences.scores:
        best = sorted(preferences.scores, key=lambda item: -preferences.scores[item])
        summary["scores"] = {item: preferences.scores[item] for item in best}
        lines.append(f"preferred most: {', '.join(best[:3])}")
        for worker in summary["by_worker"]:
            worker |= {name: told[worker["worker"]] for name, told in preferences.of_workers.items()}
    if bias is not None:
        summary["chose_left"] = {"value": bias.value, "interval": [bias.lower, bias.upper]}
        lines.append(
            f"the left item won {percent(bias.value)} of decided answers ({span(bias.lower, bias.upper)})"
        )

    def report() -> Report:
        told = choice_report(findings, title)
        if bias is None:
            return told
        note = f"of decided answers, {span(bias.lower, bias.upper)}"
        return replace(told, tiles=(*told.tiles, Tile("Left item won", percent(bias.value), note)))

    columns = ("left", "right", "label", "p_left", "p_right", "p_equal")
    return Outcome(summary, lines, columns, rows, report)


def _names(pairs: list[tuple[str, str]]) -> list[str]:
    """Name pairs by their items, quoted where names would else be the same."""
    plain = [f"{left} | {right}" for left, right in pairs]
    return plain if len(set(plain)) == len(plain) else [f"{left!r} | {right!r}" for left, right in pairs]
