"""CSV in: a pair of files, all rows or none, every error with its file, row and column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safety.importing.loading import ImportResult, RowError, import_files

__all__ = ["ImportResult", "RowError", "import_files"]


def __getattr__(name: str) -> Any:
    """Load the half with the store when it is asked for: the process that only reads does not."""
    if name not in __all__:
        raise AttributeError(name)
    from safety.importing import loading

    return getattr(loading, name)
