"""Redis on loopback, for one user with a password."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import dataclass
from pathlib import Path

from local_services import private_files
from local_services.certificates import AUTHORITY, SERVER, SERVER_KEY
from local_services.choices import Choices
from local_services.ports import HOST
from local_services.processes import Process

CONFIGURATION = "redis.conf"
USER = "crowdroute"
TIMEOUT = 2.0  # s


def configuration(choices: Choices, certificates: Path) -> str:
    """The settings of the server, which hold the digest of the password alone."""
    secure = _secure(choices.redis_secure_port, certificates) if choices.redis_secure_port is not None else ""
    digest = hashlib.sha256(choices.redis_password.encode()).hexdigest()
    return f"""\
bind {HOST}
port {choices.redis_port}
# Everything but the administration of the server; nobody without a password.
user default off
user {USER} on #{digest} ~* &* +@all -@admin
# What is kept here can be rebuilt from the log, so a crash may lose it. A dump is written now and then and
# at an orderly stop: a start may then meet an old state, as it may anywhere.
appendonly no
save 3600 1 300 100 60 10000
dir .
dbfilename dump.rdb
# Refuse to grow rather than to forget silently.
maxmemory 512mb
maxmemory-policy noeviction
daemonize no
{secure}"""


def _secure(port: int, certificates: Path) -> str:
    """One more port, over TLS; clients may show a certificate too, and then it must be one of ours."""
    return f"""\
tls-port {port}
tls-cert-file "{certificates / SERVER}"
tls-key-file "{certificates / SERVER_KEY}"
tls-ca-cert-file "{certificates / AUTHORITY}"
tls-auth-clients optional
"""


@dataclass(frozen=True, slots=True)
class RedisService:
    """The Redis server of the services in a folder."""

    choices: Choices
    program: str
    process: Process
    certificates: Path

    @property
    def name(self) -> str:
        """What people call it."""
        return "redis"

    @property
    def grace(self) -> float:
        """Seconds that an orderly stop may take, which writes a dump of at most `maxmemory`."""
        return 20.0

    @property
    def ports(self) -> tuple[int, ...]:
        """The open one, and the one over TLS if there is one."""
        secure = self.choices.redis_secure_port
        return (self.choices.redis_port,) if secure is None else (self.choices.redis_port, secure)

    def prepare(self) -> None:
        """Writes the settings."""
        text = configuration(self.choices, self.certificates)
        private_files.write(self.process.folder / CONFIGURATION, text)

    def command(self) -> list[str]:
        """What runs the server."""
        return [self.program, CONFIGURATION]

    def answers(self) -> bool:
        """Whether the server takes the user's password and has loaded its data."""
        greeting = f"AUTH {USER} {self.choices.redis_password}\r\nPING\r\n".encode()
        try:
            with socket.create_connection((HOST, self.choices.redis_port), timeout=TIMEOUT) as connection:
                connection.sendall(greeting)
                with connection.makefile("rb") as stream:
                    return [stream.readline(), stream.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False
