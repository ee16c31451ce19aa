"""What a user installs: built here with the build backend itself, so without a network."""

import configparser
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = {
    "crowdroute/router",
    "crowdroute/aggregation",
    "crowdroute/workers",
    "crowdroute/api",
    "crowdroute/peer",
    "crowdroute/client",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the working tree."""
    directory = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (path,) = directory.glob("*.whl")
    return path


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_module_and_schema_of_the_source_roots(wheel: Path) -> None:
    sources = {
        str(path.relative_to(REPOSITORY / root))
        for root in ("router", "aggregation", "workers", "proto")
        for suffix in ("*.py", "*.pyi", "*.proto", "py.typed")
        for path in (REPOSITORY / root).rglob(suffix)
    }
    assert sources - names_in(wheel) == set()


def test_the_wheel_claims_only_the_namespace_crowdroute(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in names_in(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"crowdroute"}
    packages = {"/".join(name.split("/")[:2]) for name in names_in(wheel) if name.startswith("crowdroute/")}
    assert packages == PACKAGES


def test_each_package_in_the_wheel_says_that_it_is_typed(wheel: Path) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} - names_in(wheel) == set()


def test_the_wheel_brings_the_console_script(wheel: Path) -> None:
    (entry_points,) = [name for name in names_in(wheel) if name.endswith(".dist-info/entry_points.txt")]
    parsed = configparser.ConfigParser()
    with zipfile.ZipFile(wheel) as archive:
        parsed.read_string(archive.read(entry_points).decode())
    assert parsed["console_scripts"]["crowdroute"] == "crowdroute.router.cli:main"


def test_all_packages_import_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """In another directory, without the source tree: what is missing from the wheel fails to import."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    modules = sorted(package.replace("/", ".") for package in PACKAGES)
    script = (
        "import importlib\n"
        f"for name in {modules!r}:\n"
        f"    assert importlib.import_module(name).__file__.startswith({str(tmp_path)!r}), name\n"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
