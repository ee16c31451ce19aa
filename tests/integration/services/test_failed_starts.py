"""A start that cannot succeed says why, with the log's end, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.services import PROGRAM, Services

from local_services import programs

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("requirements")]

NEVER_READY = """#!/bin/sh
case "$*" in
*kafka.Kafka*) exec sleep infinity ;;
*) exec "{java}" "$@" ;;
esac
"""
"""A Java that does everything but begin the broker: its process is there, and never answers."""


@pytest.fixture
def java_home(tmp_path: Path) -> Path:
    """The home of such a Java."""
    home = tmp_path / "java"
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(NEVER_READY.format(java=programs.require([programs.JAVA], os.environ)["java"]))
    program.chmod(0o755)
    return home


def test_a_broker_that_ends_at_its_start_is_reported_with_the_tail_of_its_log(tmp_path: Path) -> None:
    services = Services(tmp_path / "services")
    services.up()
    services.down()
    formatted = services.folder / "kafka-1" / "data" / "meta.properties"
    formatted.write_text(formatted.read_text().replace("node.id=1", "node.id=7"))
    failed = services.run("up")
    assert failed.returncode == 1
    assert "kafka-1 ended while it was started" in failed.stderr
    # Kafka's own words.
    assert "node id 7" in failed.stderr.partition("The end of")[2]
    assert failed.stderr.endswith("[START_FAILED]\n")
    assert services.processes_left() == []
    assert not (services.folder / "env").exists()


def test_a_port_of_somebody_else_is_named_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        services = Services(tmp_path / "services", {"REDIS_PORT": str(port)})
        failed = services.run("up")
    assert failed.returncode == 1
    assert f"127.0.0.1:{port} of redis is in use by another program" in failed.stderr
    assert services.processes_left() == []
    assert services.pids() == {}


def test_a_start_that_is_interrupted_stops_what_it_started(tmp_path: Path, java_home: Path) -> None:
    services = Services(tmp_path / "services", {"JAVA_HOME": str(java_home)})
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), "up"], env=services.environment(), stdout=subprocess.PIPE, text=True
    ) as start:
        assert start.stdout is not None
        # The last of them; from here the start waits for a broker that never answers.
        while not start.stdout.readline().startswith("starting redis"):
            assert start.poll() is None
        start.send_signal(signal.SIGINT)
        rest = start.stdout.read()
    assert start.returncode == 130
    assert "kafka-1 stopped" in rest
    assert services.processes_left() == []
