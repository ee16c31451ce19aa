"""Rules in force as a document again: complete, in one fixed form, compiling to exactly the same rules."""

from __future__ import annotations

import re
import sys
from decimal import Decimal

import yaml

from crowdroute.router.model import rules as model
from crowdroute.router.model.ids import Kind
from crowdroute.router.rules.document import ONLY_FIELD, SCHEMA
from crowdroute.router.rules.quantities import write_duration
from crowdroute.router.rules.references import References
from crowdroute.workers.ledger import format_amount


def describe(rules: model.ProjectRules, references: References | None = None) -> str:
    """Write rules as a document with every key, pools and vendors by the names in `references`.

    `compile_rules` makes the same rules of it again, given the same references (version and code are no part
    of a document).
    """
    return yaml.dump(
        document_of(rules, references or References()),
        Dumper=Notation,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=sys.maxsize,
    )


def document_of(rules: model.ProjectRules, references: References) -> dict[str, object]:
    """Give the document of the rules as plain values, every key written."""
    return {
        "schema": SCHEMA,
        **_questions(rules.fields),
        "guideline": rules.guideline,
        "routing": _routing(rules),
        "quality": _quality(rules),
        "people": _people(rules, references),
        "money": _money(rules),
    }


def _questions(fields: tuple[model.Field, ...]) -> dict[str, object]:
    if len(fields) == 1 and fields[0].id == ONLY_FIELD:
        return {"labels": [_label(label) for label in fields[0].labels]}
    return {
        "fields": [{"id": field.id, "labels": [_label(label) for label in field.labels]} for field in fields]
    }


def _label(label: model.Label) -> object:
    if not label.title and not label.removed:
        return label.id
    written: dict[str, object] = {"id": label.id}
    if label.title:
        written["title"] = label.title
    if label.removed:
        written["removed"] = True
    return written


def _routing(rules: model.ProjectRules) -> dict[str, object]:
    return {
        "policy": rules.routing.policy,
        "exploration": rules.routing.exploration,
        "window": rules.routing.window or "automatic",
        "priority": rules.routing.priority,
        "lease": {
            "duration": write_duration(rules.lease.duration_us),
            "extensions": rules.lease.extensions,
            "attempts": rules.lease.attempts,
            "per_worker": rules.lease.per_worker,
        },
    }


def _quality(rules: model.ProjectRules) -> dict[str, object]:
    return {
        "overlap": {"minimum": rules.overlap.minimum, "maximum": rules.overlap.maximum},
        "stopping": {
            "target": rules.stopping.target,
            "at_maximum": "escalate" if rules.stopping.escalate else "finalise",
        },
        "gold": {"share": rules.gold.share, "first": rules.gold.first},
        "review": {
            "mode": rules.review.mode.name.lower(),
            "threshold": rules.review.threshold,
            "share": rules.review.share,
        },
        "refit": {
            "every": write_duration(rules.refit.every_us) if rules.refit.every_us else "never",
            "answers": rules.refit.answers,
        },
    }


def _people(rules: model.ProjectRules, references: References) -> dict[str, object]:
    needed = rules.requirement
    return {
        "skills": {need.name: need.level for need in needed.skills},
        "languages": list(needed.languages),
        "pools": [references.name(Kind.POOL, pool) for pool in needed.pools],
        "vendors": [references.name(Kind.VENDOR, vendor) for vendor in needed.vendors],
        "humans_only": needed.humans_only,
    }


def _money(rules: model.ProjectRules) -> dict[str, object]:
    prices = rules.prices
    return {
        "currency": prices.currency,
        "crowd": format_amount(prices.crowd_micros),
        "senior": format_amount(prices.senior_micros),
        "expert": format_amount(prices.expert_micros),
        "bonuses": [_bonus(plan) for plan in rules.bonuses],
    }


def _bonus(plan: model.BonusPlan) -> dict[str, object]:
    return {
        "id": plan.id,
        "mode": plan.mode.name.lower(),
        "least_checked": plan.least_checked,
        "period": write_duration(plan.period_us),
        "bands": [
            {"from": band.lower_bound, "amount": format_amount(band.amount_micros)} for band in plan.bands
        ],
    }


class Notation(yaml.SafeDumper):
    """Quotes whatever could be taken for something else by any reader of YAML."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists below their key."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        """Write equal lists out, each time."""
        return True


_UNMISTAKABLE = re.compile(r"[A-Za-z][A-Za-z0-9_./@-]*|([0-9]+[dhms])+", re.ASCII)
_MISTAKABLE = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


def _text(dumper: Notation, text: str) -> yaml.ScalarNode:
    plain = _UNMISTAKABLE.fullmatch(text) and text.lower() not in _MISTAKABLE
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


def _number(dumper: Notation, number: float) -> yaml.ScalarNode:
    # The shortest digits that read back as the same number, never with an exponent.
    text = format(Decimal(repr(number)), "f")
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


Notation.add_representer(str, _text)
Notation.add_representer(float, _number)
