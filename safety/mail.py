"""Mail to the director that a notice waits: after the commit, in the background, naming nobody.

A mail says which clinic and how many notices, never what is in them. It never holds a filing up and
never makes one fail: what could not be sent stays unmailed, is tried again after a while and with
the next notice, and is told to the director on the page of the notices.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from safety import mail_settings, notices
from safety.access import CONSOLE, Action, Actor, guarded
from safety.clock import from_utc_text
from safety.errors import AfterdoseError
from safety.mail_settings import Settings
from safety.store import tables
from safety.store.handle import Store

if TYPE_CHECKING:
    from email.message import EmailMessage

TIMEOUT_SECONDS: Final = 10.0  # default
RETRY_SECONDS: Final = (60.0, 300.0, 900.0, 3600.0)
"""How long to wait before each further try (default); the last holds as long as Afterdose runs."""

KIND: Final = "mail"
FAILED: Final = "notice.mail-failed"

_SYSTEM: Final = Actor("system", "system", CONSOLE.role)
_COLUMNS: Final = tables.notices.c
_ONE_AT_A_TIME: Final = threading.Lock()
_THREADS: Final[set[threading.Thread]] = set()
_LATER: Final[dict[Path, threading.Timer]] = {}

_REASONS: Final = {
    "settings": "the settings in [mail] of config.toml, or the password file, cannot be used",
    "certificate": "the mail server's certificate is not trusted on this machine",
    "no-starttls": "the mail server does not offer STARTTLS",
    "sign-in": "the mail server refused the user or the password",
    "recipients": "the mail server refused every address",
    "some-recipients": "the mail server refused one of the addresses; the others were told",
    "refused": "the mail server refused the mail",
    "unreachable": "the mail server could not be reached",
}
"""Words for what the audit trail keeps of a failure."""


@dataclass(frozen=True, slots=True)
class MailState:
    """How mail stands. ``failure`` says in words what went wrong last, None when nothing did.

    ``waiting`` counts the open notices that no mail has told of.
    """

    configured: bool
    waiting: int
    failure: str | None = None
    failed_at: datetime | None = None


def wake(store: Store) -> None:
    """Send what is due, in the background. To be called after the commit; returns at once."""
    if store.config.mail is None:
        return
    thread = threading.Thread(target=_run, args=(store,), name="afterdose-mail", daemon=True)
    _THREADS.add(thread)
    try:
        thread.start()
    except RuntimeError:  # no thread to be had now: the next notice tries again
        _THREADS.discard(thread)


def wait(seconds: float) -> None:
    """Give mail that is on its way up to ``seconds`` to end (before a process ends)."""
    for thread in list(_THREADS):
        thread.join(seconds)


@guarded(Action.READ_NOTICES)
def state(store: Store, actor: Actor) -> MailState:  # noqa: ARG001 - guarded
    """How mail stands, for the director."""
    if store.config.mail is None:
        return MailState(configured=False, waiting=0)
    audit = tables.audit.c
    failures = (
        select(audit.at, audit.note)
        .where(audit.kind == KIND, audit.action == FAILED)
        .order_by(audit.seq.desc())
        .limit(1)
    )
    with store.read() as connection:
        waiting = connection.execute(select(func.count()).where(*_due())).scalar_one()
        mailed = connection.execute(select(func.max(_COLUMNS.mailed_at))).scalar()
        failed = connection.execute(failures).first()
    if failed is None or (mailed is not None and mailed > failed.at):
        return MailState(configured=True, waiting=waiting)
    words = _words(store, failed.note)
    return MailState(
        configured=True, waiting=waiting, failure=words, failed_at=from_utc_text(failed.at)
    )


def _words(store: Store, reason: str) -> str:
    if reason == "settings" and store.config.mail is not None:
        try:
            mail_settings.parsed(store.config.mail, store.config.home).password()
        except AfterdoseError as failure:
            return str(failure)
    return f"The last mail could not be sent: {_REASONS.get(reason, _REASONS['refused'])}."


def _due() -> tuple[Any, ...]:
    return (_COLUMNS.mailed_at.is_(None), _COLUMNS.seen_at.is_(None))


def _run(store: Store, tries: int = 1) -> None:
    try:
        with _ONE_AT_A_TIME:
            sent = _send_due(store)
            if not sent:
                _try_later(store, tries)
    except AfterdoseError:
        # The store takes no writing now. The notices stay unmailed and go with the next one.
        return
    finally:
        _THREADS.discard(threading.current_thread())


def _try_later(store: Store, tries: int) -> None:
    """Try again after a while, unless that is arranged already. One at a time in the process."""
    waiting = _LATER.get(store.config.home)
    if waiting is not None and waiting.is_alive() and waiting is not threading.current_thread():
        return
    seconds = RETRY_SECONDS[min(tries, len(RETRY_SECONDS)) - 1]
    later = threading.Timer(seconds, _run, (store, tries + 1))
    later.daemon = True
    _LATER[store.config.home] = later
    try:
        later.start()
    except RuntimeError:  # no thread to be had now: the next notice tries again
        del _LATER[store.config.home]


def _send_due(store: Store) -> bool:
    """Send what is due; whether nothing is left that a later try could send."""
    with store.read() as connection:
        rows = connection.execute(select(_COLUMNS.id, _COLUMNS.kind).where(*_due())).all()
    if not rows or store.config.mail is None:
        return True
    reason = _sent(store, store.config.mail, [row.kind for row in rows])
    taken = reason in {None, "some-recipients"}
    with store.write() as writer:
        if taken:
            for row in notices.unmailed(writer, [bytes(row.id) for row in rows]):
                notices.change(writer, _SYSTEM, row, "notice.mail", mailed_at=writer.at)
        if reason is not None:
            writer.log(_SYSTEM, FAILED, KIND, "", note=reason)
        writer.commit()
    return taken


def _sent(store: Store, given: Any, kinds: Sequence[str]) -> str | None:
    """Send one mail about notices of ``kinds``; None, or the reason why it failed."""
    try:
        settings = mail_settings.parsed(given, store.config.home)
        password = settings.password()
    except AfterdoseError:
        return "settings"
    return deliver(settings, password, message(settings, store.clinic.name, kinds))


def message(settings: Settings, clinic: str, kinds: Sequence[str]) -> EmailMessage:
    """The mail: which clinic, how many notices, and where to look. Nothing about anybody."""
    from email.message import EmailMessage
    from email.utils import localtime, make_msgid

    made = EmailMessage()
    serious = notices.SERIOUS in kinds
    what = "a serious event was reported" if serious else "emergency access was used"
    made["Subject"] = f"Afterdose: {what}"
    made["From"] = settings.sender
    made["To"] = ", ".join(settings.to)
    made["Date"] = localtime()
    made["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody is away from this mailbox
    count = f"{len(kinds)} notice{'s wait' if len(kinds) > 1 else ' waits'} for you."
    made.set_content(f"{clinic}\n\n{count}\nSign in to see it.\n")
    return made


def deliver(settings: Settings, password: str | None, made: EmailMessage) -> str | None:
    """Hand ``made`` to the mail server; None, or the reason why it failed."""
    try:
        refused = _handed_over(settings, password, made)
    except (OSError, UnicodeError) as failure:  # every error of smtplib and ssl is an OSError
        return _reason(failure)
    return "some-recipients" if refused else None


def _reason(failure: Exception) -> str:
    import smtplib
    import ssl

    reasons: tuple[tuple[type[Exception], str], ...] = (
        (UnicodeError, "settings"),
        (ssl.SSLError, "certificate"),
        (smtplib.SMTPNotSupportedError, "no-starttls"),
        (smtplib.SMTPAuthenticationError, "sign-in"),
        (smtplib.SMTPRecipientsRefused, "recipients"),
        (smtplib.SMTPServerDisconnected, "unreachable"),
        (smtplib.SMTPConnectError, "unreachable"),
        (smtplib.SMTPException, "refused"),
    )
    return next((word for kind, word in reasons if isinstance(failure, kind)), "unreachable")


def _handed_over(settings: Settings, password: str | None, made: EmailMessage) -> Any:
    import smtplib
    import ssl

    where = (settings.host, settings.port)
    trusting = ssl.create_default_context()
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=TIMEOUT_SECONDS, context=trusting)
    else:
        server = smtplib.SMTP(*where, timeout=TIMEOUT_SECONDS)
    with server:
        if settings.security == "starttls":
            server.starttls(context=trusting)
        if settings.user is not None and password is not None:
            server.login(settings.user, password)
        return server.send_message(made)
