"""Which broker a benchmark uses."""

from __future__ import annotations

import argparse
import os


def add_server(parser: argparse.ArgumentParser) -> None:
    """Let the broker be named on the command line."""
    parser.add_argument(
        "server",
        nargs="?",
        default=os.environ.get("KAFKA_BOOTSTRAP"),
        help="host:port of a broker; otherwise KAFKA_BOOTSTRAP, which `make services-up` tells",
    )


def server_of(options: argparse.Namespace) -> str:
    """Give the broker; without one, say how to get one and end, since that is no failure."""
    if options.server is None:
        print("needs a broker: make services-up, then give host:port or set KAFKA_BOOTSTRAP")
        raise SystemExit(0)
    server: str = options.server
    return server
