"""Certificates for tests of encrypted connections."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path


def make_certificate(directory: Path, name: str, subject: str, addresses: Sequence[str] = ()) -> None:
    """Make a key and a certificate signed with it, for this machine or these addresses, good for a day."""
    names = ",".join(f"IP:{address}" for address in ("127.0.0.1", *addresses))
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-days", "1", "-subj", f"/CN={subject}", "-addext", f"subjectAltName={names},DNS:localhost"),
        *("-keyout", str(directory / f"{name}.key"), "-out", str(directory / f"{name}.pem")),
    ]
    subprocess.run(command, check=True, capture_output=True)
