"""An owner knows how its archive stands, and goes on after a store failed it."""

from __future__ import annotations

import pytest
from tests.property.kafka.unsteady_folder import UnsteadyFolder, Whim
from tests.support.fake_folder import FakeFolder
from tests.support.fake_topic import SHARD, Topic, log_of

from crowdroute.router.adapters import kafka_archiving
from crowdroute.router.adapters.kafka_archiving import Deletion, KafkaArchiving
from crowdroute.router.adapters.log_archive import LogArchive
from crowdroute.router.adapters.snapshot_format import encode_snapshot, snapshot_name
from crowdroute.router.errors import StorageError

TOPIC, RECORDS = bytes(16), 21
SEGMENT_BYTES = 200


class Scene:
    """An owner that archives to a folder, and deletes behind the snapshots in another."""

    def __init__(self) -> None:
        self.topic = Topic(log_of(RECORDS - 1))
        self.folder, self.shared = UnsteadyFolder(FakeFolder()), FakeFolder()
        self.archive = LogArchive(self.folder, SHARD, TOPIC)
        self.archiving = KafkaArchiving(
            self.archive, SHARD, lambda: self.topic, TOPIC, Deletion(self.shared, self.delete), SEGMENT_BYTES
        )
        self.standing = self.archiving.standing

    def delete(self, before: int) -> None:
        self.topic.start = before


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(kafka_archiving.time, "time", lambda: 5000.0)
    return Scene()


def test_before_the_first_look_nothing_is_known(scene: Scene) -> None:
    assert scene.standing.succeeded_at is None


def test_the_standing_follows_the_archive_and_the_topic(scene: Scene) -> None:
    assert scene.archiving.step()
    assert scene.standing.archived == scene.archive.spans()[-1].last + 1
    while scene.archiving.step():
        pass
    standing, spans = scene.standing, scene.archive.spans()
    assert (standing.first, standing.archived, standing.end) == (0, spans[-1].last + 1, RECORDS)
    assert standing.lag == RECORDS - 1 - spans[-1].last
    assert standing.written_bytes == sum(len(body) for body in scene.folder.whole().values())
    assert (standing.failures, standing.succeeded_at) == (0, 5000.0)


def test_after_deletion_the_standing_has_where_the_topic_begins(scene: Scene) -> None:
    while scene.archiving.step():
        pass
    scene.shared.write(snapshot_name(RECORDS), b"".join(encode_snapshot(RECORDS, bytes(32), {})))
    assert not scene.archiving.step()
    assert scene.standing.first == scene.topic.start == scene.archive.spans()[-1].last


def test_a_segment_that_waits_for_a_snapshot_is_read_back_once_and_again_before_its_deletion(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    while scene.archiving.step():
        pass
    read = list[str]()
    monkeypatch.setattr(scene.folder, "read", lambda name: read.append(name) or scene.folder.whole()[name])
    for _ in range(3):
        scene.archiving.step()
    assert read == []
    scene.shared.write(snapshot_name(RECORDS), b"".join(encode_snapshot(RECORDS, bytes(32), {})))
    scene.archiving.step()
    assert read == scene.folder.names()


def test_a_failure_is_counted_and_the_range_is_archived_at_the_next_look(scene: Scene) -> None:
    scene.folder.whim = Whim.LOST
    with pytest.raises(StorageError):
        scene.archiving.step()
    assert (scene.standing.failures, scene.standing.succeeded_at) == (1, None)
    assert scene.standing.written_bytes == 0
    assert scene.archiving.step()
    assert (scene.standing.failures, scene.standing.succeeded_at) == (1, 5000.0)
    assert scene.archive.spans()[0].first == 0
