"""What is chosen once for a folder of services, and what the environment may ask for."""

from __future__ import annotations

import base64
import re
import stat
from pathlib import Path

import pytest

from local_services import choices
from local_services.choices import Wishes
from local_services.errors import ChoiceFixed, ChoicesUnreadable, InvalidWish


@pytest.mark.parametrize("count", [1, 3])
def test_every_service_gets_a_port_and_a_name_of_its_own(count: int) -> None:
    chosen = choices.choose(Wishes(brokers=count))
    assert [broker.node_id for broker in chosen.brokers] == list(range(1, count + 1))
    assert len(set(chosen.ports)) == 2 * count + 1
    assert len({chosen.cluster_id, *(broker.directory_id for broker in chosen.brokers)}) == count + 1


def test_secure_services_get_one_more_port_each_and_a_password() -> None:
    chosen = choices.choose(choices.wishes({"BROKERS": "3", "SECURE": "1"}))
    assert len(set(chosen.ports)) == 2 * 3 + 1 + 4
    assert chosen.kafka_password


def test_a_folder_that_was_made_open_is_not_made_secure_behind_its_back(tmp_path: Path) -> None:
    kept = choices.choose(Wishes())
    choices.check_kept(kept, choices.wishes({"SECURE": "0"}), tmp_path)
    with pytest.raises(ChoiceFixed, match="SECURE=1"):
        choices.check_kept(kept, choices.wishes({"SECURE": "1"}), tmp_path)


def test_secure_is_asked_for_with_one() -> None:
    with pytest.raises(InvalidWish, match="SECURE=2"):
        choices.wishes({"SECURE": "2"})


def test_choices_of_a_folder_from_before_there_was_tls_are_read(tmp_path: Path) -> None:
    kept = choices.choose(Wishes())
    choices.save(kept, tmp_path / "choices.json")
    text = (tmp_path / "choices.json").read_text()
    for name in ("secure_port", "redis_secure_port", "kafka_password"):
        text = re.sub(rf',\s*"{name}": null', "", text)
    (tmp_path / "choices.json").write_text(text)
    assert choices.load(tmp_path / "choices.json") == kept


def test_ports_that_the_environment_fixes_are_used_and_counted_up() -> None:
    asked = choices.wishes(
        {"BROKERS": "3", "KAFKA_PORT": "9092", "KAFKA_CONTROLLER_PORT": "9192", "REDIS_PORT": "6380"}
    )
    chosen = choices.choose(asked)
    assert [(broker.port, broker.controller_port) for broker in chosen.brokers] == [
        (9092, 9192),
        (9093, 9193),
        (9094, 9194),
    ]
    assert chosen.redis_port == 6380


def test_an_empty_variable_asks_for_nothing() -> None:
    assert choices.wishes({"BROKERS": "", "KAFKA_PORT": ""}) == Wishes()


@pytest.mark.parametrize(
    "environment",
    [
        {"BROKERS": "2"},
        {"BROKERS": "many"},
        {"BROKERS": "-1"},
        {"REDIS_PORT": "0"},
        {"KAFKA_PORT": "65535"},
        {"KAFKA_CONTROLLER_PORT": "9.5"},
    ],
)
def test_a_wish_that_cannot_be_is_refused_by_the_name_of_its_variable(environment: dict[str, str]) -> None:
    (name,) = environment
    with pytest.raises(InvalidWish, match=f"^{name}="):
        choices.wishes(environment)


def test_fixed_ports_that_overlap_are_refused() -> None:
    with pytest.raises(InvalidWish, match="overlap"):
        choices.choose(Wishes(brokers=3, kafka_port=9092, controller_port=9094))


def test_choices_are_read_back_as_they_were_saved_and_only_the_owner_can_read_them(tmp_path: Path) -> None:
    path = tmp_path / "choices.json"
    chosen = choices.choose(Wishes(brokers=3))
    choices.save(chosen, path)
    assert choices.load(path) == chosen
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["choices.json"]


def test_an_untouched_folder_has_no_choices(tmp_path: Path) -> None:
    assert choices.load(tmp_path / "choices.json") is None


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"brokers": [{"node_id": 1}]}', "{"])
def test_damaged_choices_are_refused_instead_of_chosen_anew(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "choices.json"
    path.write_text(damage)
    with pytest.raises(ChoicesUnreadable, match="is damaged"):
        choices.load(path)


def test_the_same_wish_again_is_granted(tmp_path: Path) -> None:
    asked = Wishes(brokers=1, kafka_port=9092)
    choices.check_kept(choices.choose(asked), asked, tmp_path)
    choices.check_kept(choices.choose(asked), Wishes(), tmp_path)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (Wishes(brokers=3), "BROKERS"),
        (Wishes(kafka_port=9093), "KAFKA_PORT"),
        (Wishes(controller_port=9093), "KAFKA_CONTROLLER_PORT"),
        (Wishes(redis_port=9093), "REDIS_PORT"),
    ],
)
def test_another_wish_for_a_folder_with_data_is_refused(asked: Wishes, name: str, tmp_path: Path) -> None:
    made_with = Wishes(brokers=1, kafka_port=9092, controller_port=9192, redis_port=6380)
    kept = choices.choose(made_with)
    with pytest.raises(ChoiceFixed, match=f"^{name}=.* were made with {name}="):
        choices.check_kept(kept, asked, tmp_path)


def test_ids_are_128_bits_as_kafka_writes_them_and_never_look_like_an_option() -> None:
    for _ in range(300):
        text = choices.kafka_id()
        assert len(base64.urlsafe_b64decode(text + "==")) == 16
        assert not text.startswith("-")
