"""The safety record: what clinicians report after each dose, and how it is kept."""

from __future__ import annotations

__version__ = "0.1.0"
