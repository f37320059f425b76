"""The base of every object that holds a secret."""

from __future__ import annotations

from typing import NoReturn


class Silent:
    """An object that shows nothing of itself and that cannot be pickled or copied.

    Raises TypeError on pickling and copying: a secret in a cache, a queue or a session file is a
    secret that nobody can find again.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: content not shown>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a secret: it is neither pickled nor copied.")
