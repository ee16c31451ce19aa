"""Kafka: how it is reached, a log on it, and the topics that tasks come from and results go to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crowdroute.router.runtime.settings.values import Address, Url, require_files, require_secret


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
        require_files((self.authority, self.certificate, self.key, self.password_file))
        require_secret(self.password_file)
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
