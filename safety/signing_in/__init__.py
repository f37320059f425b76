"""Signing in, staying signed in, and proving it again.

A page keeps a token and nothing else; who that is, and whether it still holds, is asked of the
store at every rerun. There is no cookie: closing or reloading the page is signing out, which is
right for a workstation that several people share.
"""

from __future__ import annotations

from safety.signing_in.confirming import change_own_password, confirm_password
from safety.signing_in.limits import LIMITS, Limits
from safety.signing_in.sessions import SignedIn, end_all, session_actor, sign_in, sign_out

__all__ = [
    "LIMITS",
    "Limits",
    "SignedIn",
    "change_own_password",
    "confirm_password",
    "end_all",
    "session_actor",
    "sign_in",
    "sign_out",
]
