"""The topics of a trial, which are removed when it is over; no log that matters is ever removed from here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient


@contextmanager
def trial_topics(connection: KafkaConnection, name: str) -> Iterator[None]:
    """Have the topics whose names begin with `NAME.` for oneself while the block runs, and remove them then.

    Raises:
        ConfigurationError: there are some already; they are left as they are.
        StorageError: no broker answers.
    """
    with closing(connection.admin()) as admin:
        if found := _called(admin, connection, name):
            raise ConfigurationError(
                f"{connection.place} has topics called {name}.… already ({', '.join(found)}): an engine's, or"
                " those of a trial that runs now or was killed; use another name",
                {"topic": found[0]},
            )
    try:
        yield
    finally:
        _remove(connection, name)


def _called(admin: KafkaAdminClient, connection: KafkaConnection, name: str) -> list[str]:
    from kafka.errors import KafkaError

    try:
        return sorted(topic for topic in admin.list_topics() if topic.startswith(f"{name}."))
    except KafkaError as error:
        raise StorageError(f"the topics in {connection.place} cannot be listed ({error})") from error


def _remove(connection: KafkaConnection, name: str) -> None:
    from kafka.errors import KafkaError

    with closing(connection.admin()) as admin:
        topics = _called(admin, connection, name)
        try:
            admin.delete_topics(topics)
        except KafkaError as error:
            raise StorageError(
                f"topics of a trial stay behind in {connection.place} ({error}): remove {', '.join(topics)}"
            ) from error
