"""What those do who answer for the project: its rules, its schema, whether it runs at all."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule
from msgspec.structs import replace
from tests.property.core.base import History
from tests.property.core.drawing import (
    BONUSES,
    FIELD,
    OVERLAPS,
    PLACE,
    REFITS,
    REVIEWS,
    ROUTINGS,
    SECOND_FIELD,
    STOPPINGS,
)
from tests.support.engine import TENANT
from tests.support.refits import refit_of, wrong_refits

from crowdroute.router.commands.project import (
    ApplyRules,
    BeginProject,
    CreateProject,
    PauseProject,
    RequestNext,
    ResumeProject,
)
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model.rules import (
    BonusPlan,
    Field,
    Label,
    LeaseTerms,
    Overlap,
    Prices,
    ProjectRules,
    Routing,
    Stopping,
)

TERMS = st.fixed_dictionaries(
    {
        "overlap": OVERLAPS,
        "stopping": STOPPINGS,
        "review": REVIEWS,
        "bonuses": BONUSES,
        "routing": ROUTINGS,
        "refit": REFITS,
        "prices": st.sampled_from([Prices(5, 6, 7), Prices()]),
    }
)


def wrong_rules(rules: ProjectRules) -> list[ProjectRules]:
    """Give rules that cannot follow these, each for a reason of its own."""
    following = replace(rules, version=rules.version + 1)
    return [
        replace(rules, version=rules.version + 2),
        replace(following, fields=()),
        replace(following, fields=(Field("label", (Label("no"), Label("yes"), Label("unsure"))),)),
        replace(following, overlap=Overlap(3, 2)),
        replace(following, stopping=Stopping(target=1.5)),
        replace(following, lease=LeaseTerms(duration_us=0)),
        replace(following, prices=replace(rules.prices, currency="EUR")),
        replace(following, prices=replace(rules.prices, crowd_micros=-1)),
        replace(following, bonuses=(BonusPlan("empty", (), 1),)),
        *(replace(following, bonuses=(replace(one, period_us=one.period_us + 1),)) for one in rules.bonuses),
        replace(following, routing=Routing("by the stars")),
        replace(following, routing=Routing("fifo", priority=4)),
    ]


class Governing(History):
    """Rules of those who govern."""

    @rule(
        change=st.sampled_from(
            ["schema", "terms", "terms", "pause", "create", "create", "begin", "refit", "refit"]
        ),
        place=PLACE,
        terms=TERMS,
        schema=st.sampled_from(["field", "label", "removal"]),
        name=st.sampled_from(["birds", "bees", "cats"]),
    )
    def govern(self, change: str, place: int, terms: dict[str, object], schema: str, name: str) -> None:
        self.meanwhile(place)
        nonsense = self.choose(wrong_rules(self.world.state.rules), place)
        assert self.world.ask(ApplyRules(nonsense)) is None
        if change == "terms":
            self._follow(**terms)
        elif change == "schema":
            self._change_the_schema(schema)
        elif change == "pause":
            self._pause(place)
        elif change == "refit":
            self._refit(place)
        elif change == "begin":
            self._begin_again(name)
        else:
            self._create_a_project(again=place % 3 == 0, name=name, misplaced=place % 3 == 1)

    def _change_the_schema(self, change: str) -> None:
        first, *rest = self.world.state.rules.fields
        if change == "field" and not rest:
            rest = [SECOND_FIELD]
        elif len(first.labels) == len(FIELD.labels):
            first = replace(first, labels=(*first.labels, Label("other")))
        elif change == "removal":
            first = replace(first, labels=(*first.labels[:3], replace(first.labels[3], removed=True)))
        self._follow(fields=(first, *rest))

    def _follow(self, **parts: object) -> None:
        rules = self.world.state.rules
        assert self.world.ask(ApplyRules(replace(rules, version=rules.version + 1, **parts))) is not None

    def _pause(self, place: int) -> None:
        self.world.ask(PauseProject("lunch"))
        reply = self.world.ask(RequestNext(self.choose(self.everybody, place)))
        assert reply is None or reply.reason == "PROJECT_PAUSED"
        if place % 4:
            self.world.ask(ResumeProject())

    def _refit(self, place: int) -> None:
        """What was found is installed while it holds; whatever is wrong or stale changes nothing."""
        sound = refit_of(self.world.state)
        if place % 3 == 0:
            self.meanwhile(place)
        for wrong in wrong_refits(sound):
            assert self.world.ask(wrong) is None
        before = self.world.state.models.installed.version
        installed = self.world.ask(sound)
        assert installed is not None
        assert self.world.state.models.installed.version == before + 1
        assert self.world.ask(sound) is None

    def _begin_again(self, name: str) -> None:
        """A project that was begun already stays as it is, and no other takes its place."""
        before = self.world.state.history
        command = BeginProject(self.world.project, name, replace(self.world.state.rules, version=1))
        assert (self.world.ask(command) is not None) == (name == self.world.state.name)
        assert self.world.state.history == before

    def _create_a_project(self, again: bool, name: str, misplaced: bool) -> None:
        """A project begins with its registration, or not at all."""
        project = self.world.project if again else self.world.new_id()
        stream = project_stream(TENANT, self.world.new_id() if misplaced else project)
        before = self.world.shard.streams()
        command = CreateProject(project, name, replace(self.world.state.rules, version=1))
        begun = self.world.ask(command, stream) is not None
        assert not (begun and (again or misplaced))
        assert self.world.shard.streams() == (*before, *([stream] if begun else []))
        assert (project in self.world.shard.organisation(TENANT).state.projects) == (begun or again)
