"""The manifests are what Kubernetes and KubeRay accept, and say of the engine what is true.

They are checked against Kubernetes' own schemas in their strict form, which a package carries: no network.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pydantic import ValidationError
from tests.support.kuberay import RayCluster
from tests.support.services import REPOSITORY

from crowdroute.router.runtime.settings import Settings, load_settings

FOLDER = REPOSITORY / "deploy" / "kubernetes"
OLDEST, NEWEST = "1.33", "1.37"
"""Releases of Kubernetes."""

Resource = dict[str, Any]


def resources() -> list[Resource]:
    files = sorted(FOLDER.glob("*.yaml"))
    return [one for file in files for one in yaml.safe_load_all(file.read_text())]


def checked(resource: Resource, release: str) -> None:
    """Raise what is wrong with a resource."""
    if resource["kind"] != "RayCluster":
        kubernetes_validate.validate(resource, release, strict=True)
        return
    for pod in RayCluster.model_validate(resource).pods():
        kubernetes_validate.validate(pod, release, strict=True)


def of(kind: str) -> list[Resource]:
    return [one for one in resources() if one["kind"] == kind]


def ray_cluster() -> RayCluster:
    return RayCluster.model_validate(of("RayCluster")[0])


def name(resource: Resource) -> str:
    return f"{resource['kind']} {resource['metadata']['name']}"


@pytest.mark.parametrize("release", [OLDEST, NEWEST])
@pytest.mark.parametrize("resource", resources(), ids=name)
def test_a_manifest_is_what_the_schema_says(resource: Resource, release: str) -> None:
    checked(resource, release)


def misspell_a_probe(pod: Resource) -> None:
    container = pod["containers"][0]
    container["readynessProbe"] = container.pop("readinessProbe")


def name_a_limit_wrongly(pod: Resource) -> None:
    resources = pod["containers"][0]["resources"]
    resources["limit"] = resources.pop("limits")


def give_a_port_as_text(pod: Resource) -> None:
    pod["containers"][0]["ports"][0]["containerPort"] = "7070"


@pytest.mark.parametrize("spoil", [misspell_a_probe, name_a_limit_wrongly, give_a_port_as_text])
def test_a_wrong_key_of_a_pod_is_refused(spoil: Callable[[Resource], None]) -> None:
    resource = copy.deepcopy(of("RayCluster")[0])
    spoil(resource["spec"]["workerGroupSpecs"][0]["template"]["spec"])
    with pytest.raises(kubernetes_validate.ValidationError):
        checked(resource, NEWEST)


def test_a_wrong_key_of_the_ray_cluster_is_refused() -> None:
    resource = copy.deepcopy(of("RayCluster")[0])
    resource["spec"]["authOption"] = resource["spec"].pop("authOptions")
    with pytest.raises(ValidationError, match="authOption"):
        checked(resource, NEWEST)


@pytest.mark.parametrize("kind", ["NetworkPolicy", "PodDisruptionBudget", "Service"])
def test_a_wrong_key_of_any_other_resource_is_refused(kind: str) -> None:
    resource = copy.deepcopy(of(kind)[0])
    resource["spec"]["selecter"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="selecter"):
        checked(resource, NEWEST)


def test_the_settings_in_the_manifests_are_settings_of_the_engine(tmp_path: Path) -> None:
    settings = deployed(tmp_path)
    mounts = {mount["mountPath"] for mount in engine_container()["volumeMounts"]}
    assert settings.tls is not None
    assert str(settings.directory) in mounts
    assert "/" + str(settings.tls.certificate.parent.relative_to(tmp_path)) in mounts
    assert settings.cluster is not None
    assert settings.cluster.actors == ray_cluster().spec.worker_group_specs[0].replicas
    assert settings.shards >= settings.cluster.actors, "an engine would have nothing to serve"
    assert settings.peers is not None
    assert settings.metrics is not None
    for name, address in (
        ("grpc", settings.address),
        ("peers", settings.peers.address),
        ("metrics", settings.metrics.address),
    ):
        assert port_of(address) == container_port(name)


def test_every_engine_of_the_manifests_is_believed_by_the_others_wherever_it_runs(tmp_path: Path) -> None:
    peers = deployed(tmp_path).peers
    assert peers is not None
    assert peers.tls is not None
    secret = mounted_secrets()["crowdroute-peers"]
    for file in (peers.secret_file, peers.tls.certificate, peers.tls.key, peers.tls.authorities):
        assert file.is_file(), "the guide makes no such key"
        assert Path("/") / file.parent.relative_to(tmp_path) == secret
    guide = (REPOSITORY / "docs" / "cluster.md").read_text()
    assert f"subjectAltName=DNS:{peers.tls.name}" in guide


def test_the_log_is_on_the_brokers_that_the_manifests_name(tmp_path: Path) -> None:
    kafka = deployed(tmp_path).kafka
    assert kafka is not None
    assert kafka.durability == "replicated"
    (server,) = kafka.servers
    host, _, port = server.partition(":")
    secret = Path("/") / (kafka.password_file or Path()).parent.relative_to(tmp_path)
    assert mounted_secrets()[host] == secret
    assert kafka.authority == tmp_path / secret.relative_to("/") / "ca.crt"
    assert int(port) in let_out()
    assert f"`{server}`" in (REPOSITORY / "docs" / "cluster.md").read_text()


def test_an_engine_has_a_disk_of_its_own_for_copies_of_its_logs(tmp_path: Path) -> None:
    at = str(deployed(tmp_path).directory)
    (name,) = (mount["name"] for mount in engine_container()["volumeMounts"] if mount["mountPath"] == at)
    spec = ray_cluster().spec.worker_group_specs[0].template.spec
    (volume,) = (one for one in spec["volumes"] if one["name"] == name)
    assert "volumeClaimTemplate" in volume["ephemeral"]


def test_the_head_offers_no_processors_so_that_no_engine_runs_there() -> None:
    spec = ray_cluster().spec
    assert spec.head_group_spec.ray_start_params["num-cpus"] == "0"
    assert all("num-cpus" not in group.ray_start_params for group in spec.worker_group_specs)


def let_out() -> set[int]:
    """Give the ports that engines may call."""
    rules = of("NetworkPolicy")[0]["spec"]["egress"]
    return {one["port"] for rule in rules for one in rule.get("ports", ())}


def deployed(root: Path) -> Settings:
    """Load the settings file as a node would, with what its secrets are mounted at made under a folder."""
    for volume, at in mounted_secrets().items():
        folder = root / at.relative_to("/")
        folder.mkdir(parents=True)
        for key in keys_in_the_guide(volume):
            (folder / key).write_text("secret")
    file = root / "crowdroute.toml"
    file.write_text(of("ConfigMap")[0]["data"]["crowdroute.toml"].replace("/etc/", f"{root}/etc/"))
    return load_settings(file)


def test_every_engine_has_its_directory_in_the_redis_that_the_manifests_name(tmp_path: Path) -> None:
    redis = deployed(tmp_path).redis
    assert redis is not None
    host, _, port = redis.server.partition(":")
    secret = Path("/") / (redis.password_file or Path()).parent.relative_to(tmp_path)
    assert mounted_secrets()[host] == secret
    assert redis.authority == tmp_path / secret.relative_to("/") / "ca.crt"
    assert redis.server != ray_cluster().spec.gcs_fault_tolerance_options.redis_address
    assert int(port) in let_out()
    guide = (REPOSITORY / "docs" / "cluster.md").read_text()
    assert f"`{redis.server}`" in guide
    assert f"user {redis.user} on #" in guide


def mounted_secrets() -> dict[str, Path]:
    """Give where an engine finds each secret."""
    spec = ray_cluster().spec.worker_group_specs[0].template.spec
    names = {one["name"]: one["secret"]["secretName"] for one in spec["volumes"] if "secret" in one}
    return {
        names[mount["name"]]: Path(mount["mountPath"])
        for mount in engine_container()["volumeMounts"]
        if mount["name"] in names
    }


def keys_in_the_guide(secret: str) -> list[str]:
    """Give the keys that the guide makes in a secret."""
    guide = (REPOSITORY / "docs" / "cluster.md").read_text().replace("\\\n", " ")
    kind, made = re.findall(rf"kubectl create secret (generic|tls) {secret} (.*)", guide)[0]
    return ["tls.crt", "tls.key"] if kind == "tls" else re.findall(r"--from-(?:literal|file)=([\w.]+)=", made)


def engine_container() -> Resource:
    spec = ray_cluster().spec.worker_group_specs[0].template.spec
    container: Resource = spec["containers"][0]
    return container


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def container_port(name: str) -> int:
    (port,) = (one["containerPort"] for one in engine_container()["ports"] if one["name"] == name)
    return int(port)


def test_a_call_finds_its_way_through_service_and_policy() -> None:
    service = of("Service")[0]["spec"]
    labels = ray_cluster().spec.worker_group_specs[0].template.metadata["labels"]
    assert service["selector"].items() <= labels.items()
    assert service["ports"][0]["targetPort"] == engine_container()["ports"][0]["name"]
    # A second engine beside the first has the next port.
    rules = of("NetworkPolicy")[0]["spec"]["ingress"]
    opened = [
        range(one["port"], one.get("endPort", one["port"]) + 1)
        for rule in rules
        for one in rule.get("ports", ())
    ]
    for name in ("grpc", "metrics"):
        for port in (container_port(name), container_port(name) + 1):
            assert any(port in ports for ports in opened)


def test_every_pod_is_selected_by_the_policy_and_by_one_disruption_budget() -> None:
    policy = of("NetworkPolicy")[0]["spec"]["podSelector"]["matchLabels"]
    budgets = [one["spec"]["selector"]["matchLabels"] for one in of("PodDisruptionBudget")]
    for pod in ray_cluster().pods():
        labels = pod["metadata"]["labels"].items()
        assert policy.items() <= labels
        assert sum(budget.items() <= labels for budget in budgets) == 1


def test_every_container_has_limits_and_gains_no_rights() -> None:
    for pod in ray_cluster().pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        for container in pod["spec"]["containers"]:
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_rays_version_is_the_one_that_is_pinned() -> None:
    pinned = re.search(r"^ray==(\S+)$", (REPOSITORY / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert ray_cluster().spec.ray_version == pinned[1]


def test_the_image_is_of_this_version() -> None:
    assert engine_container()["image"] == f"crowdroute:{version('crowdroute')}"


def test_the_guide_makes_every_secret_that_the_manifests_name() -> None:
    spec = ray_cluster().spec
    named = {
        spec.auth_options.secret_name,
        spec.gcs_fault_tolerance_options.redis_password.value_from.secret_key_ref.name,
        *(
            volume["secret"]["secretName"]
            for pod in ray_cluster().pods()
            for volume in pod["spec"]["volumes"]
            if "secret" in volume
        ),
    }
    guide = (REPOSITORY / "docs" / "cluster.md").read_text()
    made = set(re.findall(r"kubectl create secret (?:generic|tls) (\S+)", guide))
    assert named == made
