"""Two versions of rules are compared in the words of the document."""

from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.diff import Change, differences
from crowdroute.router.rules.references import References

HEAD = "schema: crowdroute.rules/v1\n"
REFERENCES = References({"munich": bytes([1] * 16), "graz": bytes([2] * 16)})


def test_the_same_rules_do_not_differ_whatever_their_version() -> None:
    text = HEAD + "labels: [cat, dog]\n"
    assert differences(compile_rules(text, 1), compile_rules(text, 2)) == ()


def test_every_value_that_differs_is_told_in_the_order_of_the_document() -> None:
    before = compile_rules(
        HEAD + "labels: [cat, {id: dog, title: Dog}]\npeople: {pools: [munich], skills: {pets: 0.5}}\n",
        1,
        None,
        REFERENCES,
    )
    text = """\
labels: [cat, owl]
guideline: v2
routing: {window: 50, lease: {duration: 90s}}
quality: {stopping: {at_maximum: escalate}}
people: {pools: [graz, munich]}
money:
  crowd: "0.05"
  bonuses: [{id: weekly, least_checked: 5, bands: [{from: 0.9, amount: "1"}]}]
"""
    after = compile_rules(HEAD + text, 2, before, REFERENCES)
    assert differences(before, after, REFERENCES) == (
        Change("labels.dog", "in use", "removed"),
        Change("labels.owl", None, "in use"),
        Change("guideline", "", "v2"),
        Change("routing.window", "automatic", 50),
        Change("routing.lease.duration", "10m", "1m30s"),
        Change("quality.stopping.at_maximum", "finalise", "escalate"),
        Change("people.skills.pets", 0.5, None),
        Change("people.pools", ("munich",), ("graz", "munich")),
        Change("money.crowd", "0", "0.05"),
        Change("money.bonuses.weekly.mode", None, "recommend"),
        Change("money.bonuses.weekly.least_checked", None, 5),
        Change("money.bonuses.weekly.period", None, "7d"),
        Change("money.bonuses.weekly.bands['0.9'].amount", None, "1"),
    )


def test_labels_are_named_with_their_field_where_there_are_several() -> None:
    before = compile_rules(HEAD + "labels: [cat, dog]\n", 1)
    text = "fields: [{id: label, labels: [cat, dog]}, {id: size, labels: [small, {id: l, title: Large}]}]\n"
    assert differences(before, compile_rules(HEAD + text, 2, before)) == (
        Change("fields.size.labels.small", None, "in use"),
        Change("fields.size.labels.l", None, "in use"),
        Change("fields.size.labels.l.title", None, "Large"),
    )


def test_a_list_that_was_or_becomes_empty_is_nothing() -> None:
    before = compile_rules(HEAD + "labels: [cat, dog]\n", 1)
    after = compile_rules(HEAD + "labels: [cat, dog]\npeople: {languages: [de]}\n", 2)
    assert differences(before, after) == (Change("people.languages", None, ("de",)),)
    assert differences(after, before) == (Change("people.languages", ("de",), None),)
