"""A store that speaks S3, in a thread of this process, which looks at credentials as the real one does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

BUCKET = "bucket"


class S3(NamedTuple):
    """Where it is, and who may use it."""

    address: str
    key: str
    secret: str

    @property
    def client(self) -> Any:
        """Give another client than the one under test."""
        return _client(self.address, "s3", self.key, self.secret)

    def allow(self, patched: pytest.MonkeyPatch) -> None:
        """Set what a driver finds in its environment."""
        patched.setenv("AWS_ENDPOINT_URL", self.address)
        patched.setenv("AWS_ACCESS_KEY_ID", self.key)
        patched.setenv("AWS_SECRET_ACCESS_KEY", self.secret)
        patched.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def fill(self, folder: str, names: Iterable[str]) -> None:
        """Put empty objects there, past the protocol: thousands take no time."""
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        for name in names:
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(BUCKET, f"{folder}/{name}", b"")


@contextmanager
def other_environment(patched: pytest.MonkeyPatch, **found: str | None) -> Iterator[None]:
    """Let drivers find something else, as in a process that begins with it; None: they find nothing."""
    from s3fs import S3FileSystem

    with patched.context() as within:
        for name, value in found.items():
            within.delenv(name) if value is None else within.setenv(name, value)
        S3FileSystem.clear_instance_cache()
        try:
            yield
        finally:
            S3FileSystem.clear_instance_cache()


@contextmanager
def s3_served() -> Iterator[S3]:
    """Serve one bucket to one user on a free port."""
    from moto import settings
    from moto.server import ThreadedMotoServer

    nobody_is_looked_at = settings.INITIAL_NO_AUTH_ACTION_COUNT
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        user = _client(address, "iam", "anybody", "anything")
        user.create_user(UserName="crowdroute")
        everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
        user.put_user_policy(UserName="crowdroute", PolicyName="objects", PolicyDocument=document)
        key = user.create_access_key(UserName="crowdroute")["AccessKey"]
        served = S3(address, key["AccessKeyId"], key["SecretAccessKey"])
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0.0  # from here on whoever asks is looked at
        served.client.create_bucket(Bucket=BUCKET)
        yield served
    finally:
        settings.INITIAL_NO_AUTH_ACTION_COUNT = nobody_is_looked_at
        server.stop()


def _client(address: str, service: str, key: str, secret: str) -> Any:
    import boto3

    return boto3.client(
        service,
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )
