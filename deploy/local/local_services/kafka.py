"""Apache Kafka in KRaft mode: each process is broker and controller, on loopback."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_services import kafka_wire, private_files
from local_services.certificates import AUTHORITY, SERVER_BOTH
from local_services.choices import Broker, Choices
from local_services.errors import StartFailed
from local_services.ports import HOST
from local_services.processes import Process

CONFIGURATION = "server.properties"
USER = "crowdroute"
DATA = "data"
# What Kafka writes when a folder is formatted.
FORMATTED = "meta.properties"
FORMAT_TIMEOUT = 120.0  # s
# Enough for tests and demonstrations, three times beside everything else on a laptop.
JVM_OPTIONS = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
# Debug is the default of a binding without a configuration; below `warn` the settings alone are 300 lines.
LOG_OPTIONS = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)


def properties(broker: Broker, choices: Choices, certificates: Path) -> dict[str, str]:
    """The settings of one broker, by Kafka's names; `certificates` is the folder of all services'."""
    count = len(choices.brokers)
    replication, in_sync = (3, 2) if count >= 3 else (1, 1)
    settings = {
        "process.roles": "broker,controller",
        "node.id": str(broker.node_id),
        "listeners": f"PLAINTEXT://{HOST}:{broker.port},CONTROLLER://{HOST}:{broker.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{broker.port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.quorum.bootstrap.servers": ",".join(
            f"{HOST}:{each.controller_port}" for each in choices.brokers
        ),
        # Relative to the folder in which the broker is started: no path in it can be misread.
        "log.dirs": DATA,
        # A topic that a wrong name makes has settings that nobody chose.
        "auto.create.topics.enable": "false",
        # A replica that lacks acknowledged records must never lead.
        "unclean.leader.election.enable": "false",
        "default.replication.factor": str(replication),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.replication.factor": str(replication),
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": str(replication),
        "transaction.state.log.min.isr": str(in_sync),
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": str(replication),
        "share.coordinator.state.topic.min.isr": str(in_sync),
        "share.coordinator.state.topic.num.partitions": "4",
        # Nobody waits for further consumers of a group on a laptop.
        "group.initial.rebalance.delay.ms": "0",
    }
    if count == 1:
        # There is no replica: what is acknowledged must be on this disk.
        settings["log.flush.interval.messages"] = "1"
    else:
        # A broker that was killed is replaced after this long, instead of 9 s.
        settings["broker.session.timeout.ms"] = "6000"
        # All are stopped at once: the last would wait minutes for leave from a quorum that has gone already.
        settings["controlled.shutdown.enable"] = "false"
    if broker.secure_port is not None:
        _add_secure_listener(settings, broker.secure_port, choices, certificates)
    return settings


def _add_secure_listener(settings: dict[str, str], port: int, choices: Choices, certificates: Path) -> None:
    """One more way in, for clients alone: over TLS, with the user's password."""
    address = f"SECURE://{HOST}:{port}"
    for name, what in (
        ("listeners", address),
        ("advertised.listeners", address),
        ("listener.security.protocol.map", "SECURE:SASL_SSL"),
    ):
        settings[name] += f",{what}"
    # The password is hidden by TLS on its way and by the mode of this file here.
    login = "org.apache.kafka.common.security.plain.PlainLoginModule"
    settings |= {
        "listener.name.secure.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.secure.plain.sasl.jaas.config": (
            f'{login} required user_{USER}="{choices.kafka_password}";'
        ),
        "listener.name.secure.ssl.keystore.type": "PEM",
        "listener.name.secure.ssl.keystore.location": str(certificates / SERVER_BOTH),
        "listener.name.secure.ssl.truststore.type": "PEM",
        "listener.name.secure.ssl.truststore.location": str(certificates / AUTHORITY),
        # Clients may show a certificate too, and then it must be one of ours.
        "listener.name.secure.ssl.client.auth": "requested",
    }


def properties_text(settings: dict[str, str]) -> str:
    """`settings` as the file that Kafka reads."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def initial_controllers(choices: Choices) -> str:
    """The first quorum, as `kafka.tools.StorageTool format --initial-controllers` takes it."""
    return ",".join(
        f"{broker.node_id}@{HOST}:{broker.controller_port}:{broker.directory_id}"
        for broker in choices.brokers
    )


@dataclass(frozen=True, slots=True)
class KafkaService:
    """One broker of the services in a folder."""

    broker: Broker
    choices: Choices
    java: str
    libs: Path
    process: Process
    certificates: Path

    @property
    def name(self) -> str:
        """What people call it."""
        return f"kafka-{self.broker.node_id}"

    @property
    def grace(self) -> float:
        """Seconds that an orderly stop may take; the last controller of three waits 5 s for the others."""
        return 30.0

    @property
    def ports(self) -> tuple[int, ...]:
        """For clients, for the other controllers, and for clients that use TLS."""
        open_ports = (self.broker.port, self.broker.controller_port)
        return open_ports if self.broker.secure_port is None else (*open_ports, self.broker.secure_port)

    def prepare(self) -> None:
        """Writes the settings, and formats the data folder if it never was; StartFailed if that fails."""
        folder = self.process.folder
        settings = properties(self.broker, self.choices, self.certificates)
        private_files.write(folder / CONFIGURATION, properties_text(settings))
        if (folder / DATA / FORMATTED).exists():
            return
        command = self._java("kafka.tools.StorageTool", "format", "--cluster-id", self.choices.cluster_id)
        command += ["--initial-controllers", initial_controllers(self.choices), "--config", CONFIGURATION]
        try:
            ran = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=FORMAT_TIMEOUT,
            )
        except subprocess.TimeoutExpired as error:
            raise StartFailed(
                f"{self.name}: Kafka had not formatted {folder / DATA} after {FORMAT_TIMEOUT:.0f} s"
            ) from error
        if ran.returncode != 0:
            raise StartFailed(f"{self.name}: Kafka could not format {folder / DATA}:\n{ran.stdout.strip()}")

    def command(self) -> list[str]:
        """What runs the broker."""
        return self._java("kafka.Kafka", CONFIGURATION)

    def answers(self) -> bool:
        """Whether the broker belongs to this cluster and knows all its brokers to be serving."""
        told = kafka_wire.ask(self.broker.port)
        return told is not None and told == kafka_wire.Metadata(
            self.choices.cluster_id, frozenset(each.node_id for each in self.choices.brokers)
        )

    def _java(self, *arguments: str) -> list[str]:
        return [self.java, *JVM_OPTIONS, *LOG_OPTIONS, "-cp", f"{self.libs}/*", *arguments]
