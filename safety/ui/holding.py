"""The open stores of this process: opened once, shared by every browser session.

A store is held by the folder it lives in. Which of the two a browser session works in, the clinic's
own or the demonstration's, is kept in its session state; the keys stay here.
"""

from __future__ import annotations

from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Final

from safety.config import Config, default_home, read_config
from safety.errors import StoreMissing

if TYPE_CHECKING:
    from safety.demonstration import DemoAccount
    from safety.keys.sources import KeySource
    from safety.store.handle import Store

_LOCK: Final = RLock()
_OPEN: Final[dict[Path, Store]] = {}
_DEMONSTRATION: Final[list[tuple[Store, tuple[DemoAccount, ...]]]] = []


def found_config() -> Config | None:
    """What the clinic's folder says, or None when there is no store in it."""
    try:
        return read_config(default_home())
    except StoreMissing:
        return None


def held(config: Config) -> Store | None:
    """The store of ``config``, opened with its key file at first use.

    None means that it has no key file and nobody has unlocked it since the program started.
    Raises what :func:`~safety.store.opening.open_store` does.
    """
    from safety.keys.sources import KeyFile
    from safety.store.opening import open_store

    with _LOCK:
        store = _OPEN.get(config.home)
        if store is None and config.key_file is not None:
            store = _OPEN[config.home] = open_store(config, KeyFile(config.key_file))
            _send_what_waits(store)
        return store


def unlock(config: Config, source: KeySource) -> Store:
    """Open the store with a typed secret and hold it. One try at a time.

    Raises what :func:`~safety.store.opening.open_store` does.
    """
    from safety.store.opening import open_store

    with _LOCK:
        if config.home not in _OPEN:
            _OPEN[config.home] = open_store(config, source)
            _send_what_waits(_OPEN[config.home])
        return _OPEN[config.home]


def _send_what_waits(store: Store) -> None:
    """Mail about notices that was not sent when the program last ran."""
    if store.config.mail is None:
        return
    from safety import mail

    mail.wake(store)


def hold(store: Store) -> None:
    """Hold a store that has just been made."""
    with _LOCK:
        _OPEN[store.config.home] = store


def demonstration() -> tuple[Store, tuple[DemoAccount, ...]]:
    """The demonstration clinic and its accounts; made at first use."""
    from safety.demonstration import open_demonstration

    with _LOCK:
        if not _DEMONSTRATION:
            _DEMONSTRATION.append(open_demonstration())
        return _DEMONSTRATION[0]


def release() -> None:
    """Close every store; the next use opens again."""
    with _LOCK:
        for store in (*_OPEN.values(), *(store for store, _ in _DEMONSTRATION)):
            store.close()
        _OPEN.clear()
        _DEMONSTRATION.clear()
