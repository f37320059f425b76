"""Every error that Afterdose raises on purpose.

::

    AfterdoseError
    ├── UserError                 shown as it is; the reader can mend it (exit status 1)
    │   ├── InvalidReport             one or more fields cannot be right
    │   ├── UnknownName               a term, protocol, site or user that the store does not know
    │   ├── NotFound                  a report, draft or patient that is not there
    │   ├── Conflict                  somebody else was first, or the reference is taken
    │   ├── AccessDenied              the role may not do this
    │   ├── SignInFailed              wrong user name or password
    │   │   └── SignInDelayed             too many failures; wait
    │   ├── SignedOut                 the session ended
    │   ├── BadInputFile              a file that cannot be read as what it should be
    │   ├── StoreMissing              no store in this folder
    │   ├── StoreExists               there is a store already
    │   ├── StoreReadOnly             the store refuses writing, and says why
    │   ├── StoreUnavailable          full disk, lock held too long, database out of reach
    │   ├── NewerFormat               written by a later Afterdose
    │   ├── MissingLibrary            SQLCipher or a driver is not installed
    │   ├── UnsafeKeySource           a key file or passphrase that must not be used as it is
    │   ├── MistypedCode              a recovery code that was not copied right
    │   └── WeakPassword              a new password that is too easy to guess
    └── IntegrityFailure          what is stored cannot be trusted (exit status 3)
        ├── WrongKey                  this key does not open this store or record
        ├── Tampered                  bytes were changed or moved
        ├── Truncated                 bytes are missing
        └── RolledBack                older than what was acknowledged

Messages say what is wrong, where, and what to do now. They never carry a name, an MRN, a narrative
or any other value that a patient could be known by: only field names, row numbers and ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or unlikely, with one field.

    ``field`` is the name in the model (``vitals.peak.systolic_mmhg``); ``message`` is one sentence
    that says what is wrong and what to do. Values appear only where they cannot identify anybody
    (numbers, times of day, grades).
    """

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class AfterdoseError(Exception):
    """Base of everything below."""

    exit_status = 1


class UserError(AfterdoseError):
    """An error that is shown to the user as it is, without a traceback."""


class InvalidReport(UserError):
    """One or more fields of a report cannot be right. ``problems`` lists each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class UnknownName(UserError):
    """A term, protocol, site, role or user name that is not known."""


class NotFound(UserError):
    """The report, draft, patient or version asked for is not in this store."""


class Conflict(UserError):
    """Somebody else filed or amended first, or a reference is already used for something else."""


class AccessDenied(UserError):
    """The actor's role does not allow the action."""


class SignInFailed(UserError):
    """User name and password do not belong together, or the account is closed."""


class SignInDelayed(SignInFailed):
    """Too many failures: ``seconds`` must pass before the next try."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"Too many failed tries. Wait {seconds} seconds, then sign in again.")


class SignedOut(UserError):
    """The session ended: by hand, by idleness, by age, or because the account changed."""


class BadInputFile(UserError):
    """A file that cannot be read as what it should be."""


class StoreMissing(UserError):
    """There is no store in the folder."""


class StoreExists(UserError):
    """There is a store in the folder already."""


class StoreReadOnly(UserError):
    """The store can be read but not written."""


class StoreUnavailable(UserError):
    """Disk full, lock held, or the database out of reach. Nothing was written."""


class NewerFormat(UserError):
    """The store, key file or record was written by a later Afterdose."""


class MissingLibrary(UserError):
    """A library that must be there is not. Afterdose refuses to run without encryption."""


class UnsafeKeySource(UserError):
    """A key file with loose permissions or beside the data, or a passphrase that is too short."""


class MistypedCode(UserError):
    """A recovery code whose checksum does not fit: it was not copied right."""


class WeakPassword(UserError):
    """A new password that is too short, too long, or too easy to guess."""


class IntegrityFailure(AfterdoseError):
    """What is stored cannot be trusted. Nothing was returned, nothing was changed."""

    exit_status = 3


class WrongKey(IntegrityFailure):
    """The key does not belong to this store or record."""


class Tampered(IntegrityFailure):
    """Bytes were changed, or moved from another place."""


class Truncated(IntegrityFailure):
    """Bytes are missing at the end."""


class RolledBack(IntegrityFailure):
    """The store is older than what it acknowledged."""
