"""The command line's connection to Ray, and what is wrong when there is none."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from typing import Any

from crowdroute.router.adapters.ray_library import load_ray
from crowdroute.router.errors import ConfigurationError, FleetUnavailable, NotFound, WrongState
from crowdroute.router.runtime.cluster.control import Answer, Question, Refused, decode_answer, encode
from crowdroute.router.runtime.cluster.overview import Overview
from crowdroute.router.runtime.cluster.ray_actors import NAMESPACE, SUPERVISOR
from crowdroute.router.runtime.cluster.ray_fleet import start_supervisor

REACH_S = 3.0
"""Longest wait for a connection; Ray's own client would try for minutes."""

GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""How a client of gRPC begins: HTTP/2's preface, and settings without any."""

FRAME_HEAD, TYPE_AT, SETTINGS = 9, 3, b"\x04"
"""A server's first frame tells settings too: how long its head is, where its type stands, and which it is."""

STANDARD_ERROR = 2
"""Its file descriptor."""

ANSWER_S = 30.0
"""Longest wait for an answer: a supervisor that was just started loads for seconds."""


@contextlib.contextmanager
def connected(address: str) -> Iterator[None]:
    """Be a client of the Ray cluster at host:port, or `auto`, while the block runs; it prints nothing itself.

    Raises:
        ConfigurationError: Ray is not installed, or the token is missing or is another cluster's.
        FleetUnavailable: nothing answers there.
    """
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it tells each of its attempts
    ray = load_ray()
    if address != "auto":
        _reach(address)
    try:
        with _silence():
            ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR)
    except ConnectionError as error:
        if "multiple active Ray instances" in str(error):
            raise ConfigurationError(
                "several Rays run on this machine: name the head with --ray HOST:PORT"
            ) from error
        raise FleetUnavailable(
            "there is no way into Ray from here: this machine is no node of it (`ray start --head`, or"
            " `ray start --address HEAD:PORT`), or has another cluster's token in ~/.ray/auth_token"
        ) from error
    except ray.exceptions.AuthenticationError as error:
        raise ConfigurationError(
            "Ray's token is missing here, cannot be read, or is another cluster's: put the head's into"
            " ~/.ray/auth_token, or its path into RAY_AUTH_TOKEN_PATH"
        ) from error
    try:
        # Ray's threads tell there of each process that ended, a screenful each: the supervisor sees to those.
        with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
            yield
    finally:
        ray.shutdown()


def supervisor(hosting: str) -> Any:
    """Give Ray's handle of the supervisor, which is started if none runs.

    Raises:
        FleetUnavailable: it cannot be started.
    """
    ray = load_ray()
    try:
        return start_supervisor(hosting)
    except ray.exceptions.RayError as error:
        raise FleetUnavailable(f"Ray does not start the supervisor: {error}") from error


def running_supervisor() -> Any:
    """Give Ray's handle of the supervisor.

    Raises:
        FleetUnavailable: Ray's head does not answer.
        NotFound: none runs.
    """
    ray = load_ray()
    try:
        return ray.get_actor(SUPERVISOR, NAMESPACE)
    except ray.exceptions.RpcError as error:
        raise FleetUnavailable("Ray's head does not answer: see that it runs") from error
    except ValueError:
        raise NotFound("no cluster is up on this Ray: `crowdroute cluster up` starts one") from None


def ask(handle: Any, question: Question) -> Answer:
    """Ask the supervisor.

    Raises:
        FleetUnavailable: it does not answer; whether it heard is unknown.
    """
    ray = load_ray()
    try:
        answer: bytes = ray.get(handle.ask.remote(encode(question)), timeout=ANSWER_S)
    except ray.exceptions.RayError as error:
        raise FleetUnavailable(
            "the supervisor does not answer; Ray may be starting it again: ask again in a moment"
        ) from error
    return decode_answer(answer)


def carry_out(handle: Any, question: Question) -> Overview:
    """Ask the supervisor for something, and give how the cluster does then.

    Raises:
        WrongState: it refused.
        FleetUnavailable: as `ask`.
    """
    answer = ask(handle, question)
    if isinstance(answer, Refused):
        error = WrongState(answer.message)
        error.code = answer.code
        raise error
    return answer


def end(handle: Any) -> None:
    """End the supervisor for good."""
    load_ray().kill(handle, no_restart=True)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Let nothing through to standard error while the block runs: Ray's compiled parts write past Python."""
    kept = os.dup(STANDARD_ERROR)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), STANDARD_ERROR)
        yield
    finally:
        os.dup2(kept, STANDARD_ERROR)
        os.close(kept)


def _reach(address: str) -> None:
    """See that something answers as Ray's head would; its own client would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigurationError(f"{address!r} is no address of Ray's head: give host:port, or `auto`")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), REACH_S) as reached:
            reached.sendall(GREETING)
            answer = reached.recv(FRAME_HEAD)
    except TimeoutError as error:
        raise FleetUnavailable(
            f"what listens at {address} has said nothing for {REACH_S:.0f} s: see that Ray's head is well"
        ) from error
    except (OSError, OverflowError) as error:
        raise FleetUnavailable(
            f"nothing answers at {address} ({error}): see that Ray's head runs there, and that the address is"
            " right"
        ) from error
    if answer[TYPE_AT : TYPE_AT + 1] != SETTINGS:
        raise FleetUnavailable(f"what listens at {address} is not Ray's head: correct the address")
