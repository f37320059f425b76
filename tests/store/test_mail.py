"""Mail about notices, against a real mail server on this machine; it names nobody."""

from __future__ import annotations

import email.policy
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from safety import mail, mail_settings, notices, service
from safety.config import read_config, write_config
from safety.errors import BadInputFile, UnsafeKeySource
from safety.model import Criterion
from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from safety.ui import holding
from tests.support.accounts import audit_of
from tests.support.builders import CLINIC, DIRECTOR, NURSE, a_report, an_event
from tests.support.clock import FakeClock

TO = ["ida@clinic.example", "deputy@clinic.example"]
SECONDS = 20


@dataclass
class Mailbox:
    """Takes every mail, or refuses the recipients in ``refused``."""

    received: list[Any] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 not here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.received.append(envelope)
        return "250 OK"

    def message(self) -> EmailMessage:
        (envelope,) = self.received
        return BytesParser(EmailMessage, policy=email.policy.default).parsebytes(envelope.content)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def serving(**options: Any) -> Iterator[tuple[Mailbox, int]]:
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()


@pytest.fixture
def server() -> Iterator[tuple[Mailbox, int]]:
    with serving() as running:
        yield running


def told(store: Store, port: int, **changes: Any) -> None:
    """Let ``store`` mail to a server on this machine."""
    given = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "from": "afterdose@clinic.example",
        "to": TO,
    }
    store.config = replace(store.config, mail=given | changes)


def file_serious(store: Store, **changes: Any) -> service.Filed:
    event = an_event(
        "nausea",
        3,
        serious=frozenset({Criterion.HOSPITALISATION}),
        narrative="Vomited for two hours and was taken into hospital.",
    )
    filed = service.file_report(store, NURSE, a_report(events=(event,), **changes))
    mail.wait(SECONDS)
    return filed


def mailed(store: Store) -> list[str | None]:
    query = select(tables.notices.c.mailed_at).order_by(tables.notices.c.created_at)
    with store.read() as connection:
        return list(connection.execute(query).scalars())


def test_the_director_is_told_that_a_notice_waits(store: Store, server: Any) -> None:
    mailbox, port = server
    told(store, port)
    file_serious(store)
    message = mailbox.message()
    assert mailbox.received[0].rcpt_tos == TO
    assert message["Subject"] == "Afterdose: a serious event was reported"
    assert message["To"] == ", ".join(TO)
    assert message["From"] == "afterdose@clinic.example"
    lines = message.get_content().splitlines()
    assert lines == [CLINIC, "", "1 notice waits for you.", "Sign in to see it."]
    assert mailed(store) == ["2026-03-02T15:00:00.000000Z"]
    assert mail.state(store, DIRECTOR) == mail.MailState(configured=True, waiting=0)
    assert verify(store).findings == []


def test_the_mail_says_nothing_of_anybody(store: Store, server: Any) -> None:
    mailbox, port = server
    told(store, port)
    filed = file_serious(store, narrative="Quiet until the last ten minutes.")
    (envelope,) = mailbox.received
    whole = (envelope.content + mailbox.message().get_content().encode()).decode().casefold()
    for secret in (
        "Wilma",
        "Testcase",
        "MRN-0001",
        "1980",
        "nausea",
        "vomit",
        "hospital",
        "Quiet",
        NURSE.name,
        "Main Street",
        str(filed.report_id),
        filed.report_id.hex,
        filed.session_ref,
    ):
        assert secret.casefold() not in whole


def test_without_mail_set_up_nothing_is_sent_and_the_notice_waits(store: Store) -> None:
    file_serious(store)
    assert mailed(store) == [None]
    assert mail.state(store, DIRECTOR) == mail.MailState(configured=False, waiting=0)


def test_a_server_that_is_down_stops_no_filing_and_is_told(store: Store, clock: FakeClock) -> None:
    told(store, free_port())
    filed = file_serious(store)
    assert service.read_report(store, NURSE, filed.report_id).version == 1
    assert mailed(store) == [None]
    state = mail.state(store, DIRECTOR)
    assert (state.waiting, state.failed_at) == (1, clock.now)
    assert state.failure == (
        "The last mail could not be sent: the mail server could not be reached."
    )
    assert audit_of(store, mail.FAILED)[0][3:] == ("mail", "", "unreachable")
    assert verify(store).findings == []


def test_what_could_not_be_sent_goes_with_the_next_notice(
    store: Store, clock: FakeClock, server: Any
) -> None:
    told(store, free_port())
    file_serious(store)
    clock.advance(minutes=5)
    mailbox, port = server
    told(store, port)
    file_serious(store, mrn="MRN-2")
    assert "2 notices wait for you." in mailbox.message().get_content()
    assert mailed(store) == ["2026-03-02T15:05:00.000000Z"] * 2
    assert mail.state(store, DIRECTOR).failure is None


def test_what_could_not_be_sent_is_tried_again_after_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "RETRY_SECONDS", (0.05,))
    port = free_port()
    told(store, port)
    file_serious(store)
    assert mailed(store) == [None]
    controller = Controller(mailbox := Mailbox(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        _until(lambda: mailed(store) != [None])
    finally:
        controller.stop()
    assert "1 notice waits for you." in mailbox.message().get_content()
    _until(lambda: not mail._LATER[store.config.home].is_alive())  # nothing is left to try


def test_what_waited_while_afterdose_was_off_is_sent_when_it_starts(
    store: Store, server: Any
) -> None:
    file_serious(store)
    mailbox, port = server
    told(store, port)
    write_config(store.config)
    store.close()
    assert holding.held(read_config(store.config.home)) is not None
    mail.wait(SECONDS)
    holding.release()
    assert len(mailbox.received) == 1


def _until(held: Callable[[], bool]) -> None:
    latest = time.monotonic() + SECONDS
    while not held():
        assert time.monotonic() < latest
        time.sleep(0.02)


def test_what_was_seen_before_is_not_mailed_any_more(store: Store, server: Any) -> None:
    file_serious(store)
    (notice,) = notices.open_notices(store, DIRECTOR)
    notices.mark_seen(store, DIRECTOR, notice.id)
    mailbox, port = server
    told(store, port)
    mail.wake(store)
    mail.wait(SECONDS)
    assert mailbox.received == []


def test_filing_does_not_wait_for_a_server_that_says_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told(store, silent.getsockname()[1])
        event = an_event(
            "nausea", 3, serious=frozenset({Criterion.HOSPITALISATION}), narrative="Hospital."
        )
        filed = service.file_report(store, NURSE, a_report(events=(event,)))
        waiting = len(mail._THREADS)  # the mail still waits, the filing is over
        assert service.read_report(store, NURSE, filed.report_id).version == 1
        mail.wait(SECONDS)
    assert waiting == 1
    assert mailed(store) == [None]
    assert "could not be reached" in str(mail.state(store, DIRECTOR).failure)


def test_emergency_access_has_a_subject_of_its_own(store: Store, server: Any) -> None:
    mailbox, port = server
    told(store, port)
    with store.write() as writer:
        notices.add(writer, DIRECTOR, notices.EMERGENCY_ACCESS, uuid4().hex)
        writer.commit()
    mail.wake(store)
    mail.wait(SECONDS)
    assert mailbox.message()["Subject"] == "Afterdose: emergency access was used"


def test_one_refused_address_is_told_and_the_others_have_heard(store: Store, server: Any) -> None:
    mailbox, port = server
    mailbox.refused = {TO[1]}
    told(store, port)
    file_serious(store)
    assert mailbox.received[0].rcpt_tos == TO[:1]
    assert None not in mailed(store)
    assert "refused one of the addresses" in str(mail.state(store, DIRECTOR).failure)


def test_no_address_taken_leaves_the_notice_unmailed(store: Store, server: Any) -> None:
    mailbox, port = server
    mailbox.refused = set(TO)
    told(store, port)
    file_serious(store)
    assert mailed(store) == [None]
    assert "refused every address" in str(mail.state(store, DIRECTOR).failure)


# Encryption and signing in


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that its own key signed, with the key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail of this test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "mail.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def of_server(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_starttls_refuses_a_certificate_that_is_not_trusted(
    store: Store, certificate: Path
) -> None:
    with serving(tls_context=of_server(certificate)) as (mailbox, port):
        told(store, port, security="starttls")
        file_serious(store)
    assert mailbox.received == []
    assert mailed(store) == [None]
    assert "certificate is not trusted" in str(mail.state(store, DIRECTOR).failure)


def test_starttls_sends_over_a_certificate_that_is_trusted(
    store: Store, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(tls_context=of_server(certificate), require_starttls=True) as (mailbox, port):
        told(store, port, security="starttls")
        file_serious(store)
    assert len(mailbox.received) == 1
    assert None not in mailed(store)


def test_starttls_never_falls_back_to_a_server_without_it(store: Store, server: Any) -> None:
    mailbox, port = server
    told(store, port, security="starttls")
    file_serious(store)
    assert mailbox.received == []
    assert "does not offer STARTTLS" in str(mail.state(store, DIRECTOR).failure)


@contextmanager
def asking(password: bytes) -> Iterator[tuple[Mailbox, int]]:
    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(
            success=(data.login, data.password) == (b"afterdose", password), handled=False
        )

    options = {"authenticator": check, "auth_required": True, "auth_require_tls": False}
    with serving(**options) as running:
        yield running


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("kept", "arrives"), [("right words\n", 1), ("other words\n", 0)])
def test_the_password_comes_from_its_file(
    store: Store, tmp_path: Path, kept: str, arrives: int
) -> None:
    path = tmp_path / "mail.password"
    path.write_text(kept)
    path.chmod(0o600)
    with asking(b"right words") as (mailbox, port):
        told(store, port, user="afterdose", password_file=str(path))
        file_serious(store)
    assert len(mailbox.received) == arrives
    failure = mail.state(store, DIRECTOR).failure
    assert failure is None if arrives else "refused the user or the password" in str(failure)


# Settings

GIVEN = {"host": "mail.clinic.example", "from": "afterdose@clinic.example", "to": TO}


def test_encryption_and_its_port_are_the_default() -> None:
    settings = mail_settings.parsed(GIVEN, Path("/home"))
    assert (settings.security, settings.port) == ("starttls", 587)
    assert mail_settings.parsed({**GIVEN, "security": "tls"}, Path("/home")).port == 465


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"security": "none"}, "only for a mail server on this machine"),
        ({"security": "ssl"}, "security must be starttls, tls or none"),
        ({"host": ""}, "host must be text"),
        ({"port": "587"}, "port must be a number"),
        ({"port": 0}, "port must be a number"),
        ({"to": "ida@clinic.example"}, "to must be a list"),
        ({"to": []}, "to must be a list"),
        ({"to": ["ida@clinic.example\nBcc: eve@evil.example"]}, "plain addresses"),
        ({"to": ["Ida <ida@clinic.example>"]}, "plain addresses"),
        ({"from": "ida@clinic.example, eve@evil.example"}, "plain addresses"),
        ({"password": "secret"}, "there is no password here"),
        ({"user": "afterdose"}, "belong together"),
        ({"subject": "x"}, "subject is not known"),
    ],
)
def test_settings_that_cannot_be_right_say_why(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputFile, match=words) as raised:
        mail_settings.parsed(GIVEN | changed, Path("/home"))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_server_on_this_machine_may_be_spoken_to_in_clear(host: str) -> None:
    given = {**GIVEN, "host": host, "security": "none"}
    assert mail_settings.parsed(given, Path("/home")).port == 25


def test_a_password_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mail.password"
    path.write_text("words")
    path.chmod(0o644)
    given = {**GIVEN, "user": "afterdose", "password_file": "mail.password"}
    with pytest.raises(UnsafeKeySource, match="chmod 600"):
        mail_settings.parsed(given, tmp_path).password()
    path.unlink()
    with pytest.raises(BadInputFile, match="cannot be read"):
        mail_settings.parsed(given, tmp_path).password()


def test_settings_that_are_wrong_stop_no_filing_and_are_told(store: Store) -> None:
    told(store, 25, to=[])
    file_serious(store)
    assert "to must be a list of addresses" in str(mail.state(store, DIRECTOR).failure)


def test_the_section_is_read_and_kept_when_the_file_is_written_again(store: Store) -> None:
    home = store.config.home
    assert read_config(home).mail is None
    given = {**GIVEN, "port": 587}
    write_config(replace(store.config, mail=given))
    again = read_config(home)
    assert again.mail == given
    assert replace(again, mail=None) == replace(store.config, mail=None)
