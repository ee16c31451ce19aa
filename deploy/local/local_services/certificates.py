"""An authority of our own, and what it certifies: the services' name on loopback, and one client."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from local_services import private_files
from local_services.errors import CertificatesFailed
from local_services.ports import HOST

AUTHORITY = "authority.pem"
SERVER, SERVER_KEY = "server.pem", "server.key"
# Kafka reads key and certificates from one file.
SERVER_BOTH = "server-both.pem"
CLIENT, CLIENT_KEY = "client.pem", "client.key"
DAYS = 3650  # the folder is thrown away long before
TIMEOUT = 60.0  # s
_AUTHORITY_KEY = "authority.key"


def ensure(folder: Path, openssl: str) -> None:
    """Makes the files if they are not there, all or none; only their owner can read them.

    Raises CertificatesFailed with the words of openssl.
    """
    if folder.is_dir():
        return
    scratch = Path(tempfile.mkdtemp(prefix=".tls-", dir=folder.parent))
    try:
        _self_signed(scratch, openssl)
        _certified(scratch, openssl, SERVER, SERVER_KEY, "server", f"IP:{HOST},DNS:localhost", "serverAuth")
        _certified(scratch, openssl, CLIENT, CLIENT_KEY, "crowdroute", "DNS:crowdroute", "clientAuth")
        both = (scratch / SERVER_KEY).read_text() + (scratch / SERVER).read_text()
        private_files.write(scratch / SERVER_BOTH, both)
        # Whoever had it could certify anybody.
        (scratch / _AUTHORITY_KEY).unlink()
        scratch.rename(folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _self_signed(folder: Path, openssl: str) -> None:
    subject = ("-subj", "/CN=crowdroute local services", "-days", str(DAYS))
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", _AUTHORITY_KEY)
    _run(folder, openssl, "req", "-x509", *key, *subject, "-out", AUTHORITY)


def _certified(
    folder: Path, openssl: str, certificate: str, key: str, name: str, names: str, usage: str
) -> None:
    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", key)
    by = ("-CA", AUTHORITY, "-CAkey", _AUTHORITY_KEY, "-days", str(DAYS))
    extensions = (
        f"subjectAltName={names}",
        f"extendedKeyUsage={usage}",
        "basicConstraints=critical,CA:FALSE",
    )
    added = [word for extension in extensions for word in ("-addext", extension)]
    _run(folder, openssl, "req", "-x509", *made, *by, "-subj", f"/CN={name}", *added, "-out", certificate)


def _run(folder: Path, *command: str) -> None:
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            # openssl makes keys readable for their owner alone; certificates need no more.
            env=os.environ | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise CertificatesFailed(
            f"openssl had made no certificate in {folder} after {TIMEOUT:.0f} s"
        ) from error
    if ran.returncode != 0:
        raise CertificatesFailed(f"openssl could not make a certificate in {folder}:\n{ran.stderr.strip()}")
