"""What commands say while they talk to an engine."""

import pytest

from crowdroute.client import ClientError
from crowdroute.router.cli.target import QUIET_TRIES, connection_to


def test_a_call_that_is_tried_again_for_long_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CROWDROUTE_TOKEN", "token")
    told = connection_to("127.0.0.1:1", None).told
    assert told is not None
    for tries in range(1, QUIET_TRIES + 3):
        told(tries, ClientError("NOT_READY", "nobody serves shard 0 at the moment"))
    said = capsys.readouterr()
    assert said.err == "nobody serves shard 0 at the moment (trying again for some seconds)\n"
    assert said.out == ""
