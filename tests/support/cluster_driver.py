"""A client of a cluster that stays connected: questions in as lines, answers out as lines.

python -m tests.support.cluster_driver HEAD:PORT SETTINGS
"""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec

from crowdroute.router.adapters.ray_store import Head, keep_settings
from crowdroute.router.cli.cluster import HOSTING
from crowdroute.router.errors import FleetUnavailable
from crowdroute.router.runtime.cluster.control import Question, Refused, encode
from crowdroute.router.runtime.cluster.ray_client import ask, connected, supervisor

TRIES = 120


def main() -> None:
    head, settings = sys.argv[1:]
    for number in range(TRIES):
        try:
            with connected(head):
                serve(settings)
            return
        except FleetUnavailable:
            if number == TRIES - 1:
                raise
            time.sleep(0.5)


def serve(settings: str) -> None:
    asyncio.run(keep_settings(Head(), settings.encode()))
    answers = sys.__stdout__
    assert answers is not None
    for line in sys.stdin:
        question = msgspec.json.decode(line, type=Question)
        try:
            answer = encode(ask(supervisor(HOSTING), question))
        except FleetUnavailable as error:
            answer = encode(Refused(error.code, error.message))
        print(answer.decode(), file=answers, flush=True)


if __name__ == "__main__":
    main()
