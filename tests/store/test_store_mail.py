"""`outbox send` and a real mail server that encrypts and wants a login; and sending on and on with --watch."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailboxes import Mailbox
from shops import SHOP, Shop

NOW = ("--now", "2026-03-02 10:01")
Serve = Callable[..., AbstractContextManager[Mailbox]]


def logs_in(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"care", b"sesame")
    return AuthResult(success=right, handled=right)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@contextmanager
def serving(**options: Any) -> Iterator[Mailbox]:
    found = Mailbox()
    host, port = found.address.split(":")
    controller = Controller(found, hostname=host, port=int(port), enable_SMTPUTF8=True, **options)
    controller.start()
    try:
        yield found
    finally:
        controller.stop()


@pytest.fixture
def tls(certificate: Path) -> dict[str, Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return {"tls_context": context, "require_starttls": True}


@pytest.fixture
def one(file_shop: Shop) -> Shop:
    """A customer has written, and is to be sent a message."""
    file_shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
    return file_shop


def test_mail_goes_encrypted_to_a_server_whose_certificate_is_trusted(
    one: Shop, tls: dict[str, Any], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(**tls) as mailbox:
        said = one("outbox", "send", "--smtp", mailbox.address, "--starttls", *NOW)
        assert (said.status, "certificate" in said.err, mailbox.mails) == (3, True, [])
        assert one("outbox", "list", "--format", "jsonl").lines()[0]["attempts"] == 0
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        said = one("outbox", "send", "--smtp", mailbox.address, "--starttls", *NOW)
        assert (said.status, said.out) == (0, "1 sent, 0 failed, 0 parked\n"), said.err
        assert mailbox.encrypted == [True]


def test_a_server_that_cannot_encrypt_is_given_nothing(one: Shop) -> None:
    with serving() as mailbox:
        said = one("outbox", "send", "--smtp", mailbox.address, "--starttls", *NOW)
        assert (said.status, "offers no encryption" in said.err, mailbox.mails) == (3, True, [])


def test_a_server_that_wants_a_login_is_given_one_and_never_in_the_clear(
    one: Shop, tls: dict[str, Any], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(**tls, authenticator=logs_in, auth_required=True) as mailbox:
        send = ("outbox", "send", "--smtp", mailbox.address, "--starttls", *NOW)
        said = one(*send)  # without a login no message is taken, which is no message's fault
        assert (said.status, "refused to take mail from us (530)" in said.err) == (3, True)
        assert "CAREPOLICY_SMTP_PASSWORD" in one(*send, "--user", "care").err
        monkeypatch.setenv("CAREPOLICY_SMTP_PASSWORD", "open sesame")
        said = one(*send, "--user", "care")
        assert (said.status, "refused the login" in said.err) == (3, True)
        assert "sesame" not in said.out + said.err
        monkeypatch.setenv("CAREPOLICY_SMTP_PASSWORD", "sesame")
        said = one(*send, "--user", "care")
        assert (said.status, said.out) == (0, "1 sent, 0 failed, 0 parked\n"), said.err
        assert mailbox.encrypted == [True]
    said = one("outbox", "send", "--smtp", "mail.example.org:25", "--user", "care", *NOW)
    assert (said.status, "add --starttls" in said.err) == (2, True)


def test_a_server_without_a_login_is_told_of(one: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPOLICY_SMTP_PASSWORD", "sesame")
    with serving() as mailbox:
        said = one("outbox", "send", "--smtp", mailbox.address, "--user", "care", *NOW)
        assert (said.status, "offers no login" in said.err) == (3, True)


def test_a_watcher_sends_what_comes_outlives_a_server_that_is_away_and_ends_with_130(shop: Shop) -> None:
    shop("tick")
    mailbox = Mailbox()
    command = ["outbox", "send", "--watch", "--smtp", mailbox.address, "--store", shop.url, "--policies", SHOP]
    run = [sys.executable, "-m", "carepolicy", *command]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as process:
        try:
            shop.event("email_received", "mail-1", "2026-03-02 10:00", "customer.email=ada@example.org")
            assert process.stderr is not None
            assert process.stdout is not None
            assert b"cannot be reached" in process.stderr.readline()
            host, port = mailbox.address.split(":")
            controller = Controller(mailbox, hostname=host, port=int(port))
            controller.start()
            assert process.stdout.readline() == b"1 sent, 0 failed, 0 parked\n"
            shop.event("email_received", "mail-2", "2026-03-02 10:00", "customer.email=bob@example.org")
            assert process.stdout.readline() == b"1 sent, 0 failed, 0 parked\n"
            controller.stop()
            assert [each["To"] for each in mailbox.mails] == ["ada@example.org", "bob@example.org"]
        finally:
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(timeout=20) == 130


def test_watching_does_not_go_with_an_instant_or_a_limit(file_shop: Shop) -> None:
    for option in (NOW, ("--limit", "3")):
        said = file_shop("outbox", "send", "--watch", "--smtp", "localhost:25", *option)
        assert (said.status, "--watch goes on" in said.err) == (2, True)
