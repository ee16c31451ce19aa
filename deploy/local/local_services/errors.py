"""Every way the services on this machine fail to start, as one tree with stable codes."""

from __future__ import annotations


class ServicesError(Exception):
    """The root of the tree: says what happened, where, and what to do next."""

    code = "SERVICES_ERROR"


class ProgramMissing(ServicesError):
    """A program that a service needs is absent or too old."""

    code = "PROGRAM_MISSING"


class ArtifactsUnusable(ServicesError):
    """Kafka's jars could not be fetched, or are not the ones that are pinned."""

    code = "ARTIFACTS_UNUSABLE"


class InvalidWish(ServicesError):
    """A variable of the environment asks for something that cannot be."""

    code = "INVALID_WISH"


class ChoiceFixed(ServicesError):
    """A variable asks for something else than the data folder was made with."""

    code = "CHOICE_FIXED"


class ChoicesUnreadable(ServicesError):
    """The file that remembers ports and names is damaged."""

    code = "CHOICES_UNREADABLE"


class CertificatesFailed(ServicesError):
    """The certificates for TLS could not be made."""

    code = "CERTIFICATES_FAILED"


class DiskFull(ServicesError):
    """There is no room for what the services write."""

    code = "DISK_FULL"


class PortTaken(ServicesError):
    """A port that a service must have is in use, or none is free."""

    code = "PORT_TAKEN"


class StartFailed(ServicesError):
    """A service ended, or did not answer in time, while it was started; the message ends with its log."""

    code = "START_FAILED"
