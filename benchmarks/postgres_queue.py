"""A PostgreSQL table as a task queue: takers skip the rows that others are just taking."""

from __future__ import annotations

import psycopg
from peer_servers import Peer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from queue_load import Wait

SCHEMA = """
CREATE TABLE task (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'leased', 'closed')),
    leased_until timestamptz,
    text text NOT NULL
);
CREATE INDEX open_task ON task (id) WHERE state = 'open';
CREATE TABLE answer (
    task bigint PRIMARY KEY REFERENCES task,
    label text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
"""
TAKE = """
UPDATE task SET state = 'leased', leased_until = now() + interval '10 minutes'
WHERE id = (SELECT id FROM task WHERE state = 'open' ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING id, text
"""
ANSWER = """
WITH closed AS (UPDATE task SET state = 'closed' WHERE id = %s AND state = 'leased' RETURNING id)
INSERT INTO answer (task, label) SELECT id, %s FROM closed
"""


def _address(peer: Peer) -> str:
    return f"host=127.0.0.1 port={peer.port} user=bench password={peer.password} dbname=postgres"


class PostgresWorker:
    """One annotator with a connection of its own. Each statement is a transaction, prepared once."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[int, str]]) -> None:
        self._connection = connection

    @classmethod
    async def connect(cls, peer: Peer) -> PostgresWorker:
        connection: psycopg.AsyncConnection[tuple[int, str]] = await psycopg.AsyncConnection.connect(
            _address(peer), autocommit=True
        )
        return cls(connection)

    async def fill(self, texts: list[str]) -> None:
        """Make the tables, and add tasks to the queue."""
        await self._connection.execute(SCHEMA)
        async with self._connection.cursor() as cursor, cursor.copy("COPY task (text) FROM STDIN") as copy:
            for text in texts:
                await copy.write_row((text,))
        await self._connection.execute("VACUUM ANALYZE task")

    async def take(self) -> tuple[int, str]:
        """Take the oldest task: its key and its text."""
        cursor = await self._connection.execute(TAKE, prepare=True)
        row = await cursor.fetchone()
        assert row is not None
        return row

    async def answer(self, key: int, label: str) -> None:
        """Keep the answer and close the task, both or neither."""
        cursor = await self._connection.execute(ANSWER, (key, label), prepare=True)
        assert cursor.rowcount == 1

    async def close(self) -> None:
        await self._connection.close()


class BarePostgresWorker:
    """The same statements through libpq itself, the C library below psycopg."""

    def __init__(self, peer: Peer) -> None:
        # Kept, or it would close what is below it.
        self._connection = psycopg.Connection.connect(_address(peer), autocommit=True)
        self._below = self._connection.pgconn
        for name, statement in ((b"take", TAKE), (b"answer", ANSWER)):
            numbered = statement.replace("%s", "$1", 1).replace("%s", "$2", 1)
            result = self._below.prepare(name, numbered.encode())
            assert result.status == ExecStatus.COMMAND_OK, self._below.get_error_message()

    def fileno(self) -> int:
        return self._below.socket

    def take(self) -> Wait[tuple[bytes, str]]:
        """Take the oldest task: its key and its text."""
        result = yield from self._execute(b"take", [])
        key, text = result.get_value(0, 0), result.get_value(0, 1)
        assert key is not None
        assert text is not None
        return key, text.decode()

    def answer(self, key: bytes, label: str) -> Wait[None]:
        """Keep the answer and close the task, both or neither."""
        result = yield from self._execute(b"answer", [key, label.encode()])
        assert result.command_tuples == 1

    def close(self) -> None:
        self._connection.close()

    def _execute(self, name: bytes, values: list[bytes | None]) -> Wait[PGresult]:
        self._below.send_query_prepared(name, values)
        while self._below.is_busy():
            yield
            self._below.consume_input()
        result = self._below.get_result()
        assert result is not None
        assert result.status in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}, result.error_message
        assert self._below.get_result() is None  # which makes it ready for the next
        return result
