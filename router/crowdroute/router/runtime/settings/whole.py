"""Everything that an operator sets, and where it is read from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from crowdroute.router.runtime.settings.kafka import FeedSettings, KafkaLogSettings
from crowdroute.router.runtime.settings.process import (
    LimitSettings,
    MetricsSettings,
    TlsSettings,
    TracingSettings,
)
from crowdroute.router.runtime.settings.processes import ClusterSettings, PeerSettings
from crowdroute.router.runtime.settings.redis import RedisSettings
from crowdroute.router.runtime.settings.values import Address


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
