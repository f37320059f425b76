"""CSV in: a pair of files, all rows or none, every error with its file, row and column."""

from __future__ import annotations

from safety.importing.loading import ImportResult, RowError, import_files

__all__ = ["ImportResult", "RowError", "import_files"]
