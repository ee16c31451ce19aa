"""The base installation stands alone: what belongs to an extra is never imported without need."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = ("router", "aggregation", "workers", "proto")
# Import names, where they differ from the name of the distribution.
IMPORT_NAMES = {
    "crowd-kit": "crowdkit",
    "grpcio-tools": "grpc_tools",
    "import-linter": "importlinter",
    "kafka-python": "kafka",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry",
    "pytest-asyncio": "pytest_asyncio",
    "pytest-xdist": "xdist",
    "scikit-learn": "sklearn",
}
# Stubs and tools that nothing could import at run time.
NOT_IMPORTABLE = {"grpc-stubs", "pandas-stubs", "types-PyYAML", "types-protobuf", "ruff", "mypy"}

# Imports one module where every module of an extra is absent, and prints what went wrong, if anything.
PROBE = """
import importlib, importlib.abc, json, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

ABSENT = set(json.loads(sys.argv[1]))
sys.meta_path.insert(0, Absent())
refusals = {}
for name in json.loads(sys.argv[2]):
    try:
        importlib.import_module(name)
    except ImportError as error:
        refusals[name] = str(error)
print(json.dumps(refusals))
"""


def extra_imports() -> list[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = {
        requirement.split(">")[0].split("<")[0].split("=")[0]
        for requirements in project["optional-dependencies"].values()
        for requirement in requirements
    }
    return sorted(IMPORT_NAMES.get(name, name) for name in wanted - NOT_IMPORTABLE)


def all_modules() -> list[str]:
    names = []
    for root in ROOTS:
        for path in (REPOSITORY / root).rglob("*.py"):
            parts = path.relative_to(REPOSITORY / root).with_suffix("").parts
            if parts[-1] == "__main__":
                continue
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return sorted(names)


@pytest.fixture(scope="module")
def refusals() -> dict[str, str]:
    """What each module says that does not import in a base installation."""
    path = os.pathsep.join(str(REPOSITORY / root) for root in ROOTS)
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(extra_imports()), json.dumps(all_modules())],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    result: dict[str, str] = json.loads(ran.stdout)
    return result


def test_the_probe_really_hides_the_extras() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(["pytest"]), json.dumps(["pytest", "json"])],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(json.loads(ran.stdout)) == {"pytest"}


def test_every_package_imports_without_any_extra(refusals: dict[str, str]) -> None:
    packages = {name for name in all_modules() if name.count(".") == 1}
    assert packages >= {"crowdroute.router", "crowdroute.aggregation", "crowdroute.workers"}
    assert {name: refusals[name] for name in packages & refusals.keys()} == {}


def test_a_module_that_needs_an_extra_says_which_one(refusals: dict[str, str]) -> None:
    unhelpful = {name: text for name, text in refusals.items() if "crowdroute[" not in text}
    assert unhelpful == {}
