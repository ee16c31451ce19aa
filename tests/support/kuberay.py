"""What a RayCluster may say: the keys of KubeRay's custom resource that we use, of its release 1.7.

No package carries the resource's own schema. Pods in it are Kubernetes' and are checked as those.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Metadata(_Keys):
    """Of the resource."""

    name: str
    labels: dict[str, str] = {}


class AuthOptions(_Keys):
    """How nodes and drivers prove who they are."""

    mode: Literal["disabled", "token"]
    secret_name: str


class SecretKey(_Keys):
    """One key of a secret."""

    name: str
    key: str


class FromSecret(_Keys):
    """Where a value comes from."""

    secret_key_ref: SecretKey


class Credential(_Keys):
    """A value that stands elsewhere."""

    value_from: FromSecret


class FaultTolerance(_Keys):
    """What keeps the head's knowledge."""

    redis_address: str
    redis_password: Credential


class PodTemplate(_Keys):
    """A pod's labels and specification."""

    metadata: dict[str, Any]
    spec: dict[str, Any]


class Group(_Keys):
    """Nodes of one kind."""

    ray_start_params: dict[str, str]
    template: PodTemplate


class WorkerGroup(Group):
    """Nodes that are not the head."""

    group_name: str
    replicas: Annotated[int, Field(ge=0)]
    min_replicas: Annotated[int, Field(ge=0)]
    max_replicas: Annotated[int, Field(ge=1)]


class Spec(_Keys):
    """Of the resource."""

    ray_version: str
    auth_options: AuthOptions
    gcs_fault_tolerance_options: FaultTolerance
    head_group_spec: Group
    worker_group_specs: list[WorkerGroup]


class RayCluster(_Keys):
    """The whole resource."""

    api_version: Literal["ray.io/v1"]
    kind: Literal["RayCluster"]
    metadata: Metadata
    spec: Spec

    def pods(self) -> list[dict[str, Any]]:
        """Give each group's pod as Kubernetes would be asked for it."""
        groups = [("head", self.spec.head_group_spec)]
        groups += [(group.group_name, group) for group in self.spec.worker_group_specs]
        return [
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, **group.template.metadata},
                "spec": group.template.spec,
            }
            for name, group in groups
        ]
