"""The import contracts cover the code as it is: a module that none of them lists escapes them."""

import tomllib
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
ROUTER = REPOSITORY / "router" / "crowdroute" / "router"
# Above the ports lie the shells; `rules` reads documents, which is input, though not I/O.
NOT_CORE = {"cli", "demo", "replay", "metrics", "feeds", "rpc", "console", "runtime", "adapters", "rules"}


def contracts() -> dict[str, dict[str, Any]]:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    return {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def test_every_core_module_that_exists_is_under_the_contract_of_the_core() -> None:
    layers = contracts()["router-layers"]["layers"]
    listed = {name.strip(" ()") for layer in layers for name in layer.replace(":", "|").split("|")}
    exists = {
        name for name in listed if (ROUTER / f"{name}.py").exists() or any((ROUTER / name).glob("*.py"))
    }
    covered = {module.rpartition(".")[2] for module in contracts()["core"]["source_modules"]}
    assert covered == exists - NOT_CORE
