"""An engine does not go on over topics that could lose what they acknowledge."""

from __future__ import annotations

from crowdroute.router.errors import ConfigurationError, RouterError, StorageError
from crowdroute.router.runtime.topic_watch import watch_topics

UNSAFE = ConfigurationError("a topic could lose what it acknowledged")


class Cluster:
    """Answers each look with the next outcome."""

    def __init__(self, *outcomes: RouterError | None) -> None:
        self._outcomes = list(outcomes)

    def check(self) -> None:
        outcome = self._outcomes.pop(0)
        if outcome is not None:
            raise outcome

    @property
    def looks_left(self) -> int:
        return len(self._outcomes)


async def test_an_engine_is_stopped_once_a_topic_is_unsafe() -> None:
    cluster, told = Cluster(None, None, UNSAFE), list[RouterError]()
    await watch_topics(cluster.check, told.append, 0.0)
    assert told == [UNSAFE]
    assert cluster.looks_left == 0


async def test_a_cluster_that_does_not_answer_is_looked_at_again() -> None:
    cluster, told = Cluster(StorageError("nobody answers"), UNSAFE), list[RouterError]()
    await watch_topics(cluster.check, told.append, 0.0)
    assert told == [UNSAFE]
