"""What a store that speaks S3 does otherwise than a disk, and what goes wrong there in one line."""

from __future__ import annotations

import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from tests.support.s3 import BUCKET, S3, other_environment

from crowdroute.router.adapters import objects as module
from crowdroute.router.adapters.objects import Objects
from crowdroute.router.errors import StorageError

URL = f"s3://{BUCKET}/kept"
MANY = 1010
"""More than one page of a listing, which has a thousand."""


def test_what_another_process_wrote_is_listed_at_once(s3: S3) -> None:
    objects, name = Objects(URL, "seen"), "kept/seen/b"
    objects.write("a", b"first")
    assert objects.names() == ["a"]
    s3.client.put_object(Bucket=BUCKET, Key=name, Body=b"second")
    assert objects.names() == ["a", "b"]
    s3.client.delete_object(Bucket=BUCKET, Key=name)
    assert objects.names() == ["a"]


def test_a_listing_of_several_pages_is_whole(s3: S3) -> None:
    names = [f"{number:04d}" for number in range(MANY)]
    s3.fill("kept/many", names)
    assert Objects(URL, "many").names() == names


def test_an_upload_that_was_cut_off_is_no_object(s3: S3) -> None:
    client, key = s3.client, "kept/cut/a"
    upload = client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    client.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=1, Body=b"half")
    objects = Objects(URL, "cut")
    assert objects.names() == []
    objects.write("a", b"whole")
    assert objects.read("a") == b"whole"


def test_a_bucket_that_is_not_there_is_told_and_never_made(s3: S3) -> None:
    wrong = Objects("s3://bukcet/kept")
    with pytest.raises(StorageError, match=r"s3://bukcet/kept cannot be listed \(NoSuchBucket\): create the"):
        wrong.names()
    with pytest.raises(StorageError, match=r"did not take a \(NoSuchBucket\): create the bucket"):
        wrong.write("a", b"first")
    assert [each["Name"] for each in s3.client.list_buckets()["Buckets"]] == [BUCKET]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("AWS_SECRET_ACCESS_KEY", "SignatureDoesNotMatch"), ("AWS_ACCESS_KEY_ID", "InvalidAccessKeyId")],
)
def test_wrong_credentials_are_told_and_not_shown(
    s3: S3, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    with other_environment(monkeypatch, **{name: "hunter2"}):
        with pytest.raises(StorageError, match=rf"{reason}\): look at the credentials") as refused:
            Objects(URL).names()
        assert "hunter2" not in str(refused.value)
        with pytest.raises(StorageError, match=r"did not take a .* look at the credentials"):
            Objects(URL).write("a", b"first")


def test_no_credentials_at_all_are_told(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"}
    with (
        other_environment(monkeypatch, **none),
        pytest.raises(StorageError, match=r"NoCredentialsError\): look at the credentials"),
    ):
        Objects(URL).names()


def test_a_store_that_cannot_be_reached_is_told(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"http://127.0.0.1:{gone.getsockname()[1]}"
    with other_environment(monkeypatch, AWS_ENDPOINT_URL=address):
        for attempt in (Objects(URL).names, lambda: Objects(URL).write("a", b"first")):
            with pytest.raises(StorageError, match=r"EndpointConnectionError\): see whether this machine"):
                attempt()


def test_a_store_that_is_silent_is_given_up_after_two_tries(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {**module._OPTIONS["s3"]["config_kwargs"], "read_timeout": 0.05}  # type: ignore[dict-item]
    monkeypatch.setitem(module._OPTIONS, "s3", {"config_kwargs": config})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            other_environment(monkeypatch, AWS_ENDPOINT_URL=address),
            pytest.raises(StorageError, match=r"ReadTimeoutError\): see whether this machine reaches"),
        ):
            Objects(URL).names()
        silent.settimeout(0)
        tries = 0
        while True:
            try:
                silent.accept()[0].close()
            except BlockingIOError:
                break
            tries += 1
    assert tries == 1 + module.TRIES_AGAIN


class NotFound(BaseHTTPRequestHandler):
    """Some other web server, or a proxy: it has nothing."""

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.NOT_FOUND)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_an_address_where_something_else_answers_is_no_empty_folder(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = HTTPServer(("127.0.0.1", 0), NotFound)
    serving = Thread(target=other.serve_forever, args=(0.01,))
    serving.start()
    try:
        with (
            other_environment(monkeypatch, AWS_ENDPOINT_URL=f"http://127.0.0.1:{other.server_port}"),
            pytest.raises(StorageError, match=r"cannot be listed \(404\)"),
        ):
            Objects(URL).names()
    finally:
        other.shutdown()
        serving.join()
        other.server_close()
