"""What went wrong at a store of objects, in one line that says what to do and shows no secret.

A driver's text is never shown: it may name a key, or an address with one in it. Its kind, and the code that
S3 and its likes answer with, name nothing.
"""

from __future__ import annotations

from crowdroute.router.errors import StorageError

NO_BUCKET = "NoSuchBucket"
"""S3's answer where there is not even a bucket; a folder that is merely empty has no code."""

_CREDENTIALS = (
    "look at the credentials that the driver finds in its environment or its files, and at what they allow"
)
_UNREACHED = ("Endpoint", "Connect", "Timeout", "HTTPClient")
"""How the kinds of errors begin, or end, that mean that nobody answered (botocore's, aiohttp's, Python's)."""


def failure(place: str, what: str, error: Exception) -> StorageError:
    """Give what is raised instead of a driver's error.

    Args:
        place: URL of the folder.
        what: was not possible, for example "cannot be listed".
        error: the driver's.
    """
    code, kind = code_of(error), type(error).__name__
    reason = code or (isinstance(error, OSError) and error.strerror) or kind
    advice = _advice(error, code, kind)
    told = f"{place} {what} ({reason})"
    return StorageError(f"{told}: {advice}" if advice else told, {"url": place})


def code_of(error: BaseException) -> str | None:
    """Give the code that a store answered with, None when the driver keeps none."""
    cause: BaseException | None = error
    while cause is not None:
        response = getattr(cause, "response", None)
        if isinstance(response, dict):
            code = response.get("Error", {}).get("Code")
            return str(code) if code else None
        cause = cause.__cause__
    return None


def _advice(error: Exception, code: str | None, kind: str) -> str | None:
    if code == NO_BUCKET:
        return "create the bucket, or correct the URL"
    if isinstance(error, PermissionError) or "Credentials" in kind:
        return _CREDENTIALS
    if isinstance(error, ConnectionError | TimeoutError) or any(part in kind for part in _UNREACHED):
        return (
            "see whether this machine reaches the store, and whether the driver has the right address of it"
        )
    return None
