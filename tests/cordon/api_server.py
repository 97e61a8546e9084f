"""An API server over TLS with one node, that may be told to fail; and the credentials that a pod has for it."""

import ipaddress
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NAME = "edge-1"

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def node(*, name: str = NAME, taints: tuple[str, ...] = (), **spec: Any) -> dict[str, Any]:
    """A Node as kubectl shows it, as far as it matters here."""
    if taints:
        spec["taints"] = [{"key": key, "effect": "NoSchedule"} for key in taints]
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec, "status": status}


def written(document: Any) -> bytes:
    """As it comes."""
    return json.dumps(document).encode()


@dataclass
class ApiServerStub:
    """What it says, and what it was asked."""

    directory: Path
    answer: dict[str, Any] = field(default_factory=node)
    reply: Reply | None = None
    """Instead of the answer."""
    token: str = "first"
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(path, Authorization)."""
    url: str = ""

    @property
    def credentials(self) -> Path:
        """The directory that the pod mounts."""
        return self.directory / "credentials"

    def renew(self, token: str, *, is_told: bool = True) -> None:
        """Another token from now on; without `is_told` the pod still has the old one."""
        self.token = token
        if is_told:
            (self.credentials / "token").write_text(f"{token}\n")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """GET of anything."""
        shown = request.headers.get("Authorization", "")
        self.asked.append((request.rel_url.raw_path, shown))
        if shown != f"Bearer {self.token}":
            return web.Response(status=401)
        if self.reply is not None:
            return await self.reply(request)
        return web.json_response(self.answer)


def refuse(status: int, **headers: str) -> Reply:
    """Always with that status."""

    async def reply(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=headers)

    return reply


@asynccontextmanager
async def api_server(directory: Path) -> AsyncIterator[ApiServerStub]:
    """It listens on loopback, by a certificate of its own authority."""
    stub = ApiServerStub(directory)
    stub.credentials.mkdir()
    stub.renew("first")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(write_certificate(directory, stub.credentials / "ca.crt"))
    app = web.Application()
    app.add_routes([web.get("/{path:.*}", stub.handle)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        stub.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield stub
    finally:
        await runner.cleanup()


def write_certificate(directory: Path, ca: Path) -> Path:
    """Key and certificate of 127.0.0.1 in one file, signed by a new authority whose certificate goes to `ca`."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes")])
    authority = _named(issuer, issuer, ca_key).add_extension(x509.BasicConstraints(True, None), True)
    ca.write_bytes(authority.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kube-apiserver")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = _named(subject, issuer, key).add_extension(address, False).sign(ca_key, hashes.SHA256())
    chain = directory / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain.write_bytes(private + leaf.public_bytes(Encoding.PEM))
    return chain


def _named(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
