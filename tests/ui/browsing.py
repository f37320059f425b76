"""Driving the real app in a real Chromium: a server of its own, and what a person does there."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page, expect

ROOT: Final = Path(__file__).parents[2]
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_START_SECONDS: Final = 60
_SLOW: Final = 60_000


@contextmanager
def served(home: Path, log: Path) -> Iterator[str]:
    """Serve the app on ``home`` and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = dict(os.environ, AFTERDOSE_HOME=str(home), XDG_CONFIG_HOME=str(home.parent))
    environment["PYTHONFAULTHANDLER"] = "1"
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--server.port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server)
        yield address
    finally:
        _stop(server, log)


def _stop(server: subprocess.Popen[bytes], log: Path) -> None:
    """End the server; one that hangs tells where each of its threads stands."""
    server.terminate()
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGABRT)  # faulthandler writes every thread to the log
        server.wait(timeout=20)
        raise RuntimeError(f"the server hung:\n{log.read_text(encoding='utf-8')}") from None


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(_START_SECONDS * 5):
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("the server did not answer")


def title(page: Page, text: str) -> None:
    """Wait until the page with this heading is there and has stopped running."""
    expect(page.get_by_role("heading", name=text, exact=True, level=1)).to_be_visible(timeout=_SLOW)
    quiet(page)


def quiet(page: Page) -> None:
    """Wait until the last run is over."""
    page.wait_for_timeout(150)
    expect(page.locator('[data-testid="stApp"][data-test-script-state="running"]')).to_have_count(
        0, timeout=_SLOW
    )


def press(page: Page, name: str) -> None:
    """Press the button of this name."""
    page.get_by_role("button", name=name, exact=True).first.click()
    quiet(page)


def go(page: Page, name: str) -> None:
    """Open a place of the navigation; some stand under a word of it, or under "more"."""
    link, item = (page.get_by_role(role, name=name, exact=True) for role in ("link", "menuitem"))
    links = link.or_(item).filter(visible=True)
    # What has no room in the line is still drawn, but inert.
    words = page.locator(':not([inert] *)[data-testid="stTopNavSection"]')
    for at in range(words.count()):
        if links.count():
            break
        words.nth(at).click()
        page.wait_for_timeout(300)
        if not links.count():
            page.keyboard.press("Escape")
            page.wait_for_timeout(300)
    links.last.click()
    quiet(page)


def write(page: Page, label: str, text: str, at: int = 0) -> None:
    """Type into the field of this label and leave it."""
    field = page.get_by_label(label, exact=True).nth(at)
    field.fill(text)
    field.blur()
    quiet(page)


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list that opens."""
    page.get_by_role("combobox", name=re.compile(re.escape(label))).first.click()
    page.get_by_role("option", name=option, exact=True).click()
    quiet(page)


def clock(page: Page, label: str, text: str) -> None:
    """Type a time of day, digit by digit as on a keyboard."""
    field: Locator = page.get_by_role("group", name=label)
    field.get_by_role("spinbutton").first.click()
    page.keyboard.type(text.replace(":", ""))
    page.keyboard.press("Tab")
    quiet(page)


def sign_in(page: Page, username: str, password: str) -> None:
    """Sign in from the sign-in page."""
    title(page, "Sign in")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    press(page, "Sign in")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible(timeout=_SLOW)
    quiet(page)
