"""What an operator sets: on the command line, in the environment, in a TOML file, in this order.

CROWDROUTE_ADDRESS=0.0.0.0:7070
CROWDROUTE_TLS__CERTIFICATE=/etc/crowdroute/server.pem
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from crowdroute.router.adapters.objects import check_url
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.placement import Owner, Placement


def _host_and_port(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError("give host:port, for example 127.0.0.1:7070; port 0 takes a free one")
    return address


Address = Annotated[str, AfterValidator(_host_and_port)]

Url = Annotated[str, AfterValidator(check_url)]
"""Of a folder that fsspec has a driver for."""


class TlsSettings(BaseModel):
    """Files in PEM form; with `client_authorities` only clients with a certificate of theirs may connect."""

    model_config = ConfigDict(extra="forbid")

    certificate: Path
    key: Path
    client_authorities: Path | None = None


class LimitSettings(BaseModel):
    """How much one caller, and all together, may ask of the process."""

    model_config = ConfigDict(extra="forbid")

    calls: Annotated[int, Field(ge=1)] = 4096
    """Calls under way at once, streams included; more are sent away with RESOURCE_EXHAUSTED."""
    calls_per_second: Annotated[float, Field(ge=0)] = 2000.0
    """Calls and stream actions that one worker, or one token that is no worker's, may make in the long run;
    0: any number."""
    burst: Annotated[float, Field(ge=1)] = 4000.0
    """Calls and stream actions that one of them may make at once."""
    annotation_bytes: Annotated[int, Field(ge=1024)] = 256 * 1024
    """Largest message of an annotator."""
    message_bytes: Annotated[int, Field(ge=64 * 1024)] = 4 * 1024 * 1024
    """Largest message of anybody."""


class MetricsSettings(BaseModel):
    """Where what the process measures can be read, by anybody who reaches it."""

    model_config = ConfigDict(extra="forbid")

    address: Address
    """Where Prometheus finds it, over HTTP without encryption or credentials; no address for the public."""


class TracingSettings(BaseModel):
    """Which calls are traced; where spans go, the variables OTEL_EXPORTER_OTLP_… of OpenTelemetry say."""

    model_config = ConfigDict(extra="forbid")

    sample: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of the traces begun here that are kept; one that a caller began is kept when it is kept there."""


class PeerTlsSettings(BaseModel):
    """Files in PEM form; each group shows a certificate of these authorities to the others."""

    model_config = ConfigDict(extra="forbid")

    certificate: Path
    key: Path
    authorities: Path


class OtherGroup(BaseModel):
    """A process that serves other shards of the installation."""

    model_config = ConfigDict(extra="forbid")

    shards: Annotated[list[int], Field(min_length=1)]
    """Numbers of its shards."""
    peers: Address
    """Where it serves its peers."""
    public: Address
    """Where clients reach it."""


class PeerSettings(BaseModel):
    """The other processes of an installation whose shards are served by several."""

    model_config = ConfigDict(extra="forbid")

    address: Address
    """Where this process serves the others; clients have no business there."""
    secret_file: Path
    """File with the secret that all of them share, at least 32 characters."""
    others: list[OtherGroup] = []
    """Who serves the other shards; this process serves those that nobody there does."""
    generation: Annotated[int, Field(ge=1)] = 1
    """Number of this division of shards; the same in all processes, and higher after each change."""
    tls: PeerTlsSettings | None = None
    """Unset: no encryption between processes, which is for one machine only."""


class RedisSettings(BaseModel):
    """Where processes tell each other what is derived: profiles, presence, placement, shared rate limits."""

    model_config = ConfigDict(extra="forbid")

    server: Address
    """host:port."""
    database: Annotated[int, Field(ge=0)] = 0
    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = "crowdroute"
    """What every key begins with; another for each cluster."""
    authority: Path | None = None
    """PEM file of who signs the server's certificate; unset: no encryption."""
    certificate: Path | None = None
    key: Path | None = None
    """PEM files that show the server who this is; both or none."""
    user: str = ""
    """User of the server's access control list; unset: `default`."""
    password_file: Path | None = None
    """File that holds the user's password, so that no process list shows it; unset: no password."""
    timeout_ms: Annotated[int, Field(ge=10, le=5000)] = 250
    """Milliseconds after which an answer is not waited for; no annotator's call waits for one at all."""

    @model_validator(mode="after")
    def _whole(self) -> RedisSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: give both or none")
        if self.certificate is not None and self.authority is None:
            raise ValueError("a certificate is shown over encryption only: give authority too")
        if self.user and self.password_file is None:
            raise ValueError(f"user {self.user} has no password: give password_file")
        for file in (self.authority, self.certificate, self.key, self.password_file):
            if file is not None and not file.is_file():
                raise ValueError(f"there is no file {file}")
        return self


class KafkaSettings(BaseModel):
    """A log on Kafka in place of the file: one topic for batches, one for contents."""

    model_config = ConfigDict(extra="forbid")

    servers: Annotated[list[Address], Field(min_length=1)]
    """host:port of some brokers."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = "crowdroute"
    """What the topics' names begin with; another for each cluster."""
    durability: Literal["replicated", "single-broker"] = "replicated"
    """`single-broker` does without replicas: each record is flushed to the only broker's disk."""
    compression: Literal["none", "zstd"] = "none"
    """`zstd` takes less of the brokers' disks and of the network, for some time of this process."""
    authority: Path | None = None
    """PEM file of who signs the brokers' certificates; unset: no encryption."""
    certificate: Path | None = None
    key: Path | None = None
    """PEM files that show the brokers who this is; both or none."""
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    user: str = ""
    """Unset: no SASL."""
    password_file: Path | None = None
    """File that holds the user's password, so that no process list shows it."""

    @model_validator(mode="after")
    def _whole(self) -> KafkaSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: give both or none")
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file belong together: give both or none")
        if self.password_file is not None and not self.password_file.is_file():
            raise ValueError(f"there is no password file {self.password_file}")
        return self


class KafkaLogSettings(KafkaSettings):
    """A log on Kafka, and what of it is kept elsewhere too."""

    snapshots: Url | None = None
    """Folder in which all nodes share their snapshots; unset: each node has its own alone."""
    archive: Url | None = None
    """Folder that closed ranges of the log are archived in; unset: the topic alone has them."""
    delete: bool = False
    """Whether the topic lets go of what is archived and behind a shared snapshot."""

    @model_validator(mode="after")
    def _archived_first(self) -> KafkaLogSettings:
        if self.delete and (self.archive is None or self.snapshots is None):
            raise ValueError("only what is archived and behind a snapshot is deleted: give both URLs")
        return self


Told = Literal["results", "annotations", "workers", "payments"]
"""What is put out to topics that others read."""

FeedTopic = Literal["tasks", "dead-letter", "outbox", "results", "annotations", "workers", "payments"]
"""Every topic of feeds."""

TopicName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]


class FeedSettings(KafkaSettings):
    """Topics that tasks come from, and that what the log tells goes to."""

    out: list[Told] = ["results", "annotations", "workers", "payments"]
    """What is put out; none of it: []."""
    topics: dict[FeedTopic, TopicName] = {}
    """Names other than NAME.tasks, NAME.results and so on."""
    open_tasks: Annotated[int, Field(ge=1)] = 1_000_000
    """Open tasks at which a project is full: its records wait in the topic until nine tenths are left."""

    def topic(self, kind: FeedTopic) -> str:
        """Give the name of a topic."""
        return self.topics.get(kind, f"{self.name}.{kind}")

    @model_validator(mode="after")
    def _apart(self) -> FeedSettings:
        names = [self.topic(kind) for kind in get_args(FeedTopic)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"topic {name} is named twice: each needs a topic of its own")
        return self


class ClusterSettings(BaseModel):
    """Processes on Ray that share the shards."""

    model_config = ConfigDict(extra="forbid")

    ray: str = "auto"
    """host:port of Ray's head; `auto` takes the one that a node on this machine belongs to."""
    actors: Annotated[int, Field(ge=1, le=1024)] = 1
    """How many, spread over the nodes."""


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="CROWDROUTE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    directory: Path = Path(".crowdroute")
    """Where the log, its contents and its snapshots lie; made when it is not there."""
    address: Address = "127.0.0.1:7070"
    """Where gRPC is served."""
    tenant: str = "default"
    """The organisation that an empty store is begun with."""
    shards: Annotated[int, Field(ge=1, le=64)] = 1
    """Logs that the projects are shared out among, each with a writer of its own; can grow and not shrink."""
    reflection: bool = False
    """Whether clients may ask for the schema, as grpcurl does."""
    grace_seconds: Annotated[float, Field(ge=0)] = 5.0
    """How long calls under way may take to finish when the process is told to stop."""
    snapshots: bool = True
    """Whether a second process folds the log to write snapshots, so that a restart is quick."""
    jobs: Annotated[int, Field(ge=1, le=64)] = 1
    """Batch jobs (refits) that run at once beside the engine, each in a process of its own; of a cluster, for
    each actor."""
    tls: TlsSettings | None = None
    """Unset: no encryption, which is for one machine only."""
    limits: LimitSettings = LimitSettings()
    peers: PeerSettings | None = None
    """Unset: this process serves all shards."""
    metrics: MetricsSettings | None = None
    """Unset: nothing is served for Prometheus."""
    tracing: TracingSettings | None = None
    """Unset: nothing is traced."""
    redis: RedisSettings | None = None
    """Unset: what is derived stays in this process, and rate limits count its calls alone."""
    kafka: KafkaLogSettings | None = None
    """Unset: the log is a file in the directory. Set: Kafka has the log, and the directory a copy."""
    feeds: FeedSettings | None = None
    """Unset: no topics but those of the log. Set: tasks come from the topic NAME.tasks there, and results and
    more go to NAME.results and others, whatever keeps the log."""
    cluster: ClusterSettings | None = None
    """Unset: one process on this machine, which needs no service."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least level of the lines on standard error; `debug` has one for every call."""

    @model_validator(mode="after")
    def _handed_over(self) -> Settings:
        if self.feeds is not None and self.cluster is not None and self.peers is None:
            raise ValueError(
                "feeds of a cluster go from one process to another: give peers, or leave out feeds"
            )
        return self

    @model_validator(mode="after")
    def _snapshots_before_deletion(self) -> Settings:
        if self.kafka is not None and self.kafka.delete and not self.snapshots:
            raise ValueError(
                "kafka.delete waits for snapshots that nobody writes: leave out snapshots = false,"
                " or kafka.delete"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Name the sources, the strongest first."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(file: Path | None = None, **given: object) -> Settings:
    """Read the settings.

    Args:
        file: a TOML file; None for none.
        given: what was said on the command line; None values are left out.

    Raises:
        ConfigurationError: the file cannot be read or a setting cannot be right; the message names each.
    """
    if file is not None and not file.is_file():
        raise ConfigurationError(f"there is no settings file {file}")

    class FromFile(Settings):
        model_config = SettingsConfigDict(**{**Settings.model_config, "toml_file": file})

    try:
        return FromFile(**_said(given))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {_plain(problem['type'], problem['msg'])}"
            for problem in error.errors()
        )
        raise ConfigurationError(f"settings: {wrong}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is no TOML file: it is not UTF-8 text") from error
    except ValueError as error:
        raise ConfigurationError(f"{file} is no TOML file: {error}") from error


def placement_of(settings: Settings) -> Placement:
    """Give who serves each shard.

    Raises:
        ConfigurationError: a shard that does not exist is said to be served elsewhere, or one by two.
    """
    if settings.peers is None:
        return Placement(settings.shards)
    others: dict[int, Owner] = {}
    for other in settings.peers.others:
        for shard in other.shards:
            if shard in others or not 0 <= shard < settings.shards:
                raise ConfigurationError(
                    f"settings: peers.others: shard {shard} "
                    + (
                        "has two owners"
                        if shard in others
                        else f"does not exist: shards is {settings.shards}, and they are numbered from 0"
                    )
                )
            others[shard] = Owner(other.peers, other.public)
    return Placement(settings.shards, settings.peers.generation, others)


def own_shards(settings: Settings) -> list[int]:
    """Give the numbers of the shards that this process serves.

    Raises:
        ConfigurationError: there is none left.
    """
    others = placement_of(settings).others
    own = [shard for shard in range(settings.shards) if shard not in others]
    if not own:
        raise ConfigurationError(
            "settings: peers.others: the other processes serve all shards, and this one none"
        )
    return own


def _plain(kind: str, message: str) -> str:
    """Say in plain words what pydantic says of a value."""
    if kind == "extra_forbidden":
        return "there is no such setting"
    if kind == "missing":
        return "it is required here"
    return message.removeprefix("Value error, ").replace("Input should be", "it should be")


def _said(given: dict[str, object]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
