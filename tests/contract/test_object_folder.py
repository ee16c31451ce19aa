"""What every folder of objects must do, on a disk, in memory and in a store that speaks S3 alike."""

from __future__ import annotations

import pytest

from crowdroute.router.adapters.objects import Objects
from crowdroute.router.errors import StorageError


def test_what_was_written_is_read_and_listed_in_order(folder_url: str) -> None:
    objects = Objects(folder_url, "cluster", "0")
    assert objects.names() == []
    objects.write("b", b"second")
    objects.write("a", b"first")
    objects.write("b", b"second")
    assert objects.names() == ["a", "b"]
    assert objects.read("a") == b"first"


def test_what_was_removed_is_gone_however_often_it_is_removed(folder_url: str) -> None:
    objects = Objects(folder_url)
    objects.write("a", b"first")
    objects.remove("a")
    objects.remove("a")
    assert objects.names() == []


def test_an_object_that_is_not_there_is_refused_by_name(folder_url: str) -> None:
    with pytest.raises(StorageError, match="does not give a"):
        Objects(folder_url).read("a")


def test_an_empty_object_is_one(folder_url: str) -> None:
    objects = Objects(folder_url)
    objects.write("a", b"")
    assert (objects.names(), objects.read("a")) == (["a"], b"")


def test_folders_of_names_that_begin_alike_are_apart(folder_url: str) -> None:
    Objects(folder_url, "1").write("a", b"of one")
    Objects(folder_url, "10").write("b", b"of ten")
    assert Objects(folder_url, "1").names() == ["a"]
    assert Objects(folder_url, "0").names() == []
