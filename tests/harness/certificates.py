"""Certificates for a server that a test plays, made by openssl when they are needed: no private key lies around."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")


@dataclass(frozen=True, slots=True)
class Certificates:
    """A CA's certificate, and a certificate of its own for a server, with its key."""

    ca: Path
    server: Path
    key: Path

    def serving(self) -> ssl.SSLContext:
        """For the server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server, self.key)
        return context

    def trusting(self) -> ssl.SSLContext:
        """For a client that trusts this CA alone."""
        return ssl.create_default_context(cafile=str(self.ca))


def certificates(folder: Path, *, host: str) -> Certificates | None:
    """Make certificates for `host` in `folder`; None without openssl."""
    if shutil.which("openssl") is None:
        return None
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    ca_key = folder / "ca.key"
    _openssl("req", "-x509", *_EC, "-subj", "/CN=Test CA", "-days", "2", "-keyout", str(ca_key), "-out", str(made.ca))
    _openssl(
        "req", "-x509", *_EC, "-subj", f"/CN={host}", "-days", "1", "-addext", f"subjectAltName=DNS:{host}",
        "-addext", "basicConstraints=critical,CA:FALSE", "-CA", str(made.ca), "-CAkey", str(ca_key),
        "-keyout", str(made.key), "-out", str(made.server),
    )  # fmt: skip
    return made


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
