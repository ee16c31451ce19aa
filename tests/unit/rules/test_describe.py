"""Rules in force are written out as a document that says everything, in one fixed form."""

from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.describe import describe
from crowdroute.router.rules.references import References

POOLS = References({"munich": bytes([1] * 16)})


def test_every_key_is_written_and_nothing_can_be_mistaken() -> None:
    text = """\
schema: crowdroute.rules/v1
labels: [yes, N, {id: "1", title: One}, {id: gone, removed: true}]
guideline: "2024"
routing: {exploration: 0.00001, lease: {duration: 5400s}}
people: {pools: [munich], skills: {"null": 1}}
money: {crowd: "0.50", bonuses: [{id: b, least_checked: 1, bands: [{from: 90%, amount: "2"}]}]}
"""
    rules = compile_rules(text, 1, None, POOLS)
    assert (
        describe(rules, POOLS)
        == """\
schema: crowdroute.rules/v1
labels:
  - "yes"
  - "N"
  - id: "1"
    title: One
  - id: gone
    removed: true
guideline: "2024"
routing:
  policy: information_gain
  exploration: 0.00001
  window: automatic
  priority: 0
  lease:
    duration: 1h30m
    extensions: 12
    attempts: 8
    per_worker: 10
quality:
  overlap:
    minimum: 2
    maximum: 5
  stopping:
    target: 0.95
    at_maximum: finalise
  gold:
    share: 0.05
    first: 5
  review:
    mode: recommend
    threshold: 0.0
    share: 0.0
  refit:
    every: never
    answers: 1
people:
  skills:
    "null": 1.0
  languages: []
  pools:
    - munich
  vendors: []
  humans_only: false
money:
  currency: USD
  crowd: "0.5"
  senior: "0"
  expert: "0"
  bonuses:
    - id: b
      mode: recommend
      least_checked: 1
      period: 7d
      bands:
        - from: 0.9
          amount: "2"
"""
    )


def test_a_pool_that_is_not_known_by_name_is_written_by_its_id() -> None:
    text = "schema: crowdroute.rules/v1\nlabels: [a, b]\npeople: {pools: [munich]}\n"
    rules = compile_rules(text, 1, None, POOLS)
    assert f"- pol_{'01' * 16}" in describe(rules)


def test_several_fields_are_written_as_fields() -> None:
    text = "schema: crowdroute.rules/v1\nfields: [{id: size, labels: [small, large]}]\n"
    written = describe(compile_rules(text, 1))
    assert "fields:\n  - id: size\n    labels:\n      - small\n      - large\n" in written
