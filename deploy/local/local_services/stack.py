"""All services of one data folder: started together, stopped together, found again."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local_services import artifacts, certificates, choices, env_file, private_files, programs
from local_services.choices import Choices
from local_services.errors import DiskFull, PortTaken, StartFailed
from local_services.kafka import KafkaService
from local_services.ports import HOST, is_free
from local_services.processes import Process
from local_services.redis_server import RedisService

READY_TIMEOUT = 120.0  # s; three brokers on two busy cores need a fraction of it
ROOM = 512 << 20  # bytes; Kafka's first files of three brokers, and a dump of all that Redis may hold
PAUSE = 0.1  # s between two questions to a service that is starting

Say = Callable[[str], None]


class Service(Protocol):
    """What starting, stopping and telling need to know of one service."""

    @property
    def process(self) -> Process: ...

    @property
    def grace(self) -> float: ...

    @property
    def name(self) -> str: ...

    @property
    def ports(self) -> tuple[int, ...]: ...

    def prepare(self) -> None: ...

    def command(self) -> list[str]: ...

    def answers(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class State:
    """How one service is: its pid if it runs, and whether it answers."""

    name: str
    addresses: tuple[str, ...]
    pid: int | None
    answers: bool
    log: Path


@dataclass(frozen=True, slots=True)
class Stack:
    """The services whose data, logs and addresses lie in `folder`."""

    folder: Path
    environment: Mapping[str, str]
    say: Say

    @property
    def env_path(self) -> Path:
        """The file that tells the addresses while the services run."""
        return self.folder / "env"

    def up(self) -> None:
        """Starts what does not run, and returns when everything answers; what runs already is left alone.

        Raises a ServicesError; then nothing that this call started still runs.
        """
        asked = choices.wishes(self.environment)
        with self._locked():
            kept = choices.load(self._choices_path)
            if kept is not None:
                choices.check_kept(kept, asked, self.folder)
            # Everything that is missing is told at once, Maven only when it will be called.
            fetched = artifacts.cache_folder(self.environment).is_dir()
            secure = asked.secure if kept is None else kept.secure
            needed = [programs.JAVA, programs.REDIS]
            needed += [] if fetched else [programs.MAVEN]
            needed += [programs.OPENSSL] if secure else []
            paths = programs.require(needed, self.environment)
            _require_room(self.folder)
            libs = artifacts.ensure(self.environment, self.say)
            if kept is None:
                kept = choices.choose(asked)
                choices.save(kept, self._choices_path)
            if kept.secure:
                certificates.ensure(self._certificates, paths["openssl"])
            services = self._services(kept, paths["java"], paths["redis-server"], libs)
            self._start(services)
            private_files.write(self.env_path, env_file.text(self._variables(kept)))

    def down(self) -> bool:
        """Stops what runs, keeps all data; False if something had to be killed."""
        kept = self._kept()
        if kept is None:
            self.say(f"no services in {self.folder}")
            return True
        with self._locked():
            self.env_path.unlink(missing_ok=True)
            return self._stop(self.known(kept))

    def states(self) -> list[State]:
        """How each service is; empty if none was ever started."""
        kept = self._kept()
        if kept is None:
            return []
        return [
            State(
                service.name,
                tuple(f"{HOST}:{port}" for port in service.ports),
                service.process.pid(),
                service.answers(),
                service.process.log,
            )
            for service in self.known(kept)
        ]

    def variables(self) -> dict[str, str]:
        """Where the services are, as `env_path` tells it; empty if none was ever started."""
        kept = self._kept()
        return {} if kept is None else self._variables(kept)

    def _variables(self, kept: Choices) -> dict[str, str]:
        return env_file.variables(kept, artifacts.cache_folder(self.environment), self._certificates)

    @property
    def _choices_path(self) -> Path:
        return self.folder / "choices.json"

    @property
    def _certificates(self) -> Path:
        return self.folder / "tls"

    def _kept(self) -> Choices | None:
        return choices.load(self._choices_path)

    def known(self, kept: Choices) -> list[Service]:
        """The services for looking and stopping, which need no program."""
        return self._services(kept, "java", "redis-server", artifacts.cache_folder(self.environment))

    def _services(self, kept: Choices, java: str, redis: str, libs: Path) -> list[Service]:
        brokers: list[Service] = [
            KafkaService(
                broker, kept, java, libs, Process(self.folder / f"kafka-{broker.node_id}"), self._certificates
            )
            for broker in kept.brokers
        ]
        return [*brokers, RedisService(kept, redis, Process(self.folder / "redis"), self._certificates)]

    def _start(self, services: list[Service]) -> None:
        absent = [service for service in services if service.process.pid() is None]
        for service in absent:
            service.process.folder.mkdir(mode=0o700, exist_ok=True)
            for port in service.ports:
                if not is_free(port):
                    raise PortTaken(
                        f"{HOST}:{port} of {service.name} is in use by another program: stop that one, or "
                        "use another folder (CROWDROUTE_SERVICES_DIR), where other ports are chosen"
                    )
        with ThreadPoolExecutor(max_workers=len(services)) as pool:
            list(pool.map(lambda service: service.prepare(), absent))
        try:
            for service in absent:
                self.say(f"starting {service.name} at {HOST}:{service.ports[0]}")
                service.process.start(service.command())
            _wait(services)
        except BaseException:
            # Also when somebody interrupts: half a cluster must not stay behind.
            self._stop(absent)
            raise

    def _stop(self, services: list[Service]) -> bool:
        # All are asked before any is waited for, so that the wait is that of the slowest.
        asked = [(service, service.process.ask_to_stop()) for service in services]
        clean = True
        for service, ran in asked:
            if service.process.end(service.grace):
                self.say(f"{service.name} {'stopped' if ran else 'was not running'}")
            else:
                clean = False
                self.say(
                    f"{service.name} did not stop within {service.grace:.0f} s and was killed; "
                    f"its log: {service.process.log}"
                )
        return clean

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One start or stop at a time; a second one waits."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say("waiting for another start or stop of the same services")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _require_room(folder: Path) -> None:
    """Raises DiskFull before anything is half written."""
    free = shutil.disk_usage(folder).free
    if free < ROOM:
        raise DiskFull(
            f"the disk that holds {folder} has {free >> 20} MB left, and the services want {ROOM >> 20} MB "
            "to begin with: free space, or name another folder in CROWDROUTE_SERVICES_DIR"
        )


def _wait(services: list[Service]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    waiting = list(services)
    while waiting:
        waiting = [service for service in waiting if not service.answers()]
        for service in waiting:
            if service.process.pid() is None:
                raise StartFailed(_with_log(service, "ended while it was started"))
        if waiting and time.monotonic() >= deadline:
            raise StartFailed(_with_log(waiting[0], f"did not answer within {READY_TIMEOUT:.0f} s"))
        if waiting:
            time.sleep(PAUSE)


def _with_log(service: Service, what: str) -> str:
    return f"{service.name} {what}. The end of {service.process.log}:\n{service.process.log_tail()}"
