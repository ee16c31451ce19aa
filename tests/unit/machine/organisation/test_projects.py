"""The organisation itself, and which projects it has."""

import pytest
from tests.unit.machine.organisation.driver import PROJECT, STREAM, UNKNOWN, VENDOR, Organisation

from crowdroute.router.commands.organisation import AddVendor, CreateOrganisation, RegisterProject
from crowdroute.router.commands.project import PauseProject
from crowdroute.router.commands.replies import Created, Done
from crowdroute.router.errors import AlreadyExists, InvalidCommand, NotFound
from crowdroute.router.events.organisation import OrganisationCreated, ProjectRegistered
from crowdroute.router.model.ids import NO_ID


def test_an_organisation_begins_once(organisation):
    organisation.refuses(CreateOrganisation("acme"), AlreadyExists)


def test_the_first_command_creates_the_organisation():
    organisation = Organisation()
    assert organisation.send(CreateOrganisation("acme")) == Done()
    assert organisation.last == OrganisationCreated("acme")
    assert organisation.state.tenant == "acme"


def test_nothing_is_decided_before_the_organisation_exists():
    organisation = Organisation()
    organisation.refuses(AddVendor(VENDOR, "north"), NotFound)


@pytest.mark.parametrize("tenant", ["", "a/b", "über", ".hidden", "x" * 64, "two words"])
def test_a_tenant_is_a_word_that_can_stand_in_a_streams_name(tenant):
    organisation = Organisation()
    organisation.refuses(CreateOrganisation(tenant), InvalidCommand)


def test_a_tenant_begins_only_in_its_own_stream():
    organisation = Organisation()
    with pytest.raises(InvalidCommand):
        organisation.send(CreateOrganisation("acme"), stream="other/organisation")
    assert organisation.state.tenant == ""


def test_a_registered_project_keeps_its_place_and_is_found_by_name(organisation):
    reply = organisation.send(RegisterProject(UNKNOWN, "ants", shard=2, lane=1))
    assert reply == Created(UNKNOWN)
    assert organisation.last == ProjectRegistered(UNKNOWN, "ants", 2, 1)
    assert organisation.state.find_project("ants") is organisation.state.projects[UNKNOWN]
    assert organisation.state.projects[UNKNOWN].shard == 2
    assert [row.name for row in organisation.state.list_projects()] == ["ants", "bees", "birds"]
    assert organisation.state.find_project("wasps") is None


@pytest.mark.parametrize(
    "command", [RegisterProject(PROJECT, "wasps", shard=0), RegisterProject(UNKNOWN, "birds", shard=0)]
)
def test_a_projects_id_and_name_are_taken_once(organisation, command):
    organisation.refuses(command, AlreadyExists)


@pytest.mark.parametrize(
    ("field", "command"),
    [
        ("project", RegisterProject(NO_ID, "ants", shard=0)),
        ("project", RegisterProject(b"short", "ants", shard=0)),
        ("name", RegisterProject(UNKNOWN, "", shard=0)),
        ("name", RegisterProject(UNKNOWN, " ants", shard=0)),
        ("name", RegisterProject(UNKNOWN, "a\nnts", shard=0)),
        ("name", RegisterProject(UNKNOWN, "a" * 201, shard=0)),
        ("shard", RegisterProject(UNKNOWN, "ants", shard=-1)),
        ("lane", RegisterProject(UNKNOWN, "ants", shard=0, lane=1 << 31)),
    ],
)
def test_a_field_that_cannot_be_right_is_named(organisation, field, command):
    assert organisation.refuses(command, InvalidCommand).details["field"] == field


def test_a_projects_own_command_is_sent_back(organisation):
    refusal = organisation.refuses(PauseProject("lunch"), InvalidCommand)
    assert STREAM in refusal.message
