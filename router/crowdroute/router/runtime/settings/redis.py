"""Redis, where processes share what is derived."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crowdroute.router.runtime.settings.values import Address, require_files, require_secret


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
        require_files((self.authority, self.certificate, self.key, self.password_file))
        require_secret(self.password_file)
        return self
