"""A browser tab without a browser: Streamlit's websocket, its messages, and the tree they draw.

It keeps what a page of Streamlit 1.67 keeps (elements by their place, widget states, the open page)
and sends what the page would send, one run of the script for each press or value. What a run did
not draw again is dropped at its end, as in the browser.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

_LONGEST: Final = 120.0
_LARGEST: Final = 64 * 2**20
_WIDGETS: Final = frozenset(
    {
        "button",
        "button_group",
        "checkbox",
        "date_input",
        "download_button",
        "multiselect",
        "number_input",
        "radio",
        "selectbox",
        "text_area",
        "text_input",
        "time_input",
    }
)
_ENDED_EARLY: Final = ForwardMsg.FINISHED_EARLY_FOR_RERUN
_COMPILE_ERROR: Final = ForwardMsg.FINISHED_WITH_COMPILE_ERROR
Place = tuple[int, ...]


class Drawn(NamedTuple):
    """One element on the screen; ``kind`` is its name in Streamlit's protocol."""

    kind: str
    proto: Any
    fragment: str
    run: int

    @property
    def key(self) -> str:
        """The key that the page gave the widget; ``None`` in letters where it gave none."""
        return str(self.proto.id).split("-", 2)[-1]

    @property
    def text(self) -> str:
        """What an element that shows text shows."""
        return str(getattr(self.proto, "body", "") or getattr(self.proto, "label", ""))


class Tab:
    """One browser tab. ``heard`` is given the bytes of every message that arrives."""

    def __init__(self, address: str, heard: Callable[[bytes], None]) -> None:
        self._heard = heard
        self._connecting = connect(
            address.replace("http://", "ws://") + "/_stcore/stream",
            origin=Origin(address),
            subprotocols=[Subprotocol("streamlit")],
            compression=None,
            max_size=_LARGEST,
            max_queue=None,
        )
        self._socket: ClientConnection
        self._elements: dict[Place, Drawn] = {}
        self._values: dict[str, WidgetState] = {}
        self._page = ""
        self._places: dict[str, str] = {}
        self._run = 0
        self._fragments: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        self._socket = self._connecting.__enter__()
        self._rerun()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the tab without a word to the page."""
        self._socket.close()

    # --- What is on the screen ------------------------------------------------------------------

    def drawn(self, *kinds: str) -> Iterator[Drawn]:
        """The elements of these kinds, or all, in the order of the page."""
        for place in sorted(self._elements):
            found = self._elements[place]
            if not kinds or found.kind in kinds:
                yield found

    def headings(self) -> list[str]:
        """The headings on the screen."""
        return [found.text for found in self.drawn("heading")]

    def texts(self) -> list[str]:
        """Everything on the screen that is text and no widget."""
        return [d.text for d in self.drawn("heading", "markdown", "text", "alert") if d.text]

    def widget(self, key: str | None = None, *, label: str | None = None, nth: int = 0) -> Drawn:
        """The widget whose key is ``key`` or ends with ``:key``, or whose label is ``label``.

        Raises LookupError with the keys and labels that are there.
        """
        known = [found for found in self.drawn() if found.kind in _WIDGETS]
        fitting = [found for found in known if _fits(found, key, label)]
        if len(fitting) <= nth:
            there = ", ".join(f"{found.key} ({found.proto.label})" for found in known)
            raise LookupError(f"no widget {key or label!r} on {self.headings()}; there is: {there}")
        return fitting[nth]

    def has(self, key: str | None = None, *, label: str | None = None) -> bool:
        """Whether there is such a widget."""
        return any(_fits(d, key, label) for d in self.drawn() if d.kind in _WIDGETS)

    # --- What a person does ---------------------------------------------------------------------

    def press(self, key: str | None = None, *, label: str | None = None, nth: int = 0) -> float:
        """Press a button and wait for what it causes; the seconds until all of it was drawn."""
        found = self.widget(key, label=label, nth=nth)
        if found.proto.disabled:
            raise LookupError(f"the button {found.proto.label!r} is not to be pressed now")
        return self._rerun(WidgetState(id=found.proto.id, trigger_value=True), found.fragment)

    def put(self, value: Any, key: str | None = None, *, label: str | None = None) -> float:
        """Give a widget a value as the person would leave it; a field of a form waits."""
        found = self.widget(key, label=label)
        self._values[found.proto.id] = _state(found, value)
        waits = bool(found.proto.form_id)
        return 0.0 if waits else self._rerun(None, found.fragment)

    def go(self, path: str) -> float:
        """Open a place of the navigation by its path."""
        self._page = self._places[path]
        return self._rerun()

    # --- The protocol ---------------------------------------------------------------------------

    def _rerun(self, trigger: WidgetState | None = None, fragment: str = "") -> float:
        """Send the state of the page and read until the run that it causes has ended."""
        message = BackMsg()
        state = message.rerun_script
        state.page_script_hash = self._page
        state.fragment_id = fragment
        state.context_info.timezone = "UTC"
        there = {d.proto.id for d in self.drawn() if d.kind in _WIDGETS}
        self._values = {known: v for known, v in self._values.items() if known in there}
        state.widget_states.widgets.extend(self._values.values())
        if trigger is not None:
            state.widget_states.widgets.append(trigger)
        begun = time.perf_counter()
        self._socket.send(message.SerializeToString())
        self._until_ended(begun + _LONGEST)
        return time.perf_counter() - begun

    def _until_ended(self, latest: float) -> None:
        while True:
            given = self._socket.recv(timeout=max(latest - time.perf_counter(), 0.001))
            data = given if isinstance(given, bytes) else given.encode()
            self._heard(data)
            if self._take(ForwardMsg.FromString(data)):
                return

    def _take(self, message: ForwardMsg) -> bool:
        """Apply one message; whether a run has ended with it."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._run += 1
            self._fragments = tuple(message.metadata.run.fragment_ids)
            self._page = message.new_session.page_script_hash or self._page
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
            self._places = {
                page.url_pathname: page.page_script_hash for page in message.navigation.app_pages
            }
        elif kind == "delta":
            self._draw(tuple(message.metadata.delta_path), message.delta)
        elif kind == "script_finished":
            return self._ended(message.script_finished)
        return False

    def _draw(self, place: Place, delta: Any) -> None:
        kind = delta.WhichOneof("type")
        if kind == "add_block":
            self._elements.pop(place, None)
            return
        if kind != "new_element":
            return
        self._forget(below=place)
        element = delta.new_element
        name = element.WhichOneof("type") or "empty"
        found = Drawn(name, getattr(element, name), delta.fragment_id, self._run)
        self._elements[place] = found
        if name in _WIDGETS and getattr(found.proto, "set_value", False):
            self._values[found.proto.id] = _told(found)

    def _forget(self, below: Place) -> None:
        for place in [p for p in self._elements if p[: len(below)] == below]:
            del self._elements[place]

    def _ended(self, status: int) -> bool:
        if status == _COMPILE_ERROR:
            raise AssertionError("the app does not compile")
        if status == _ENDED_EARLY:
            return False
        for place in list(self._stale()):
            del self._elements[place]
        return True

    def _stale(self) -> Iterable[Place]:
        """What the run that ended should have drawn again and did not."""
        for place, found in self._elements.items():
            mine = not self._fragments or found.fragment in self._fragments
            if mine and found.run != self._run:
                yield place


def _fits(found: Drawn, key: str | None, label: str | None) -> bool:
    if key is not None:
        return found.key == key or found.key.endswith((f":{key}", f"-{key}"))
    return bool(found.proto.label == label)


def _state(found: Drawn, value: Any) -> WidgetState:
    """``value`` in the form that this kind of widget sends."""
    state = WidgetState(id=found.proto.id)
    if found.kind == "checkbox":
        state.bool_value = bool(value)
    elif found.kind == "number_input":
        state.double_value = float(value)
    elif found.kind in {"date_input", "multiselect", "button_group"}:
        state.string_array_value.data.extend([value] if isinstance(value, str) else value)
    else:
        state.string_value = str(value)
    return state


def _told(found: Drawn) -> WidgetState:
    """The value that the program set, as the page keeps it."""
    proto = found.proto
    if found.kind == "button_group":
        return _state(found, list(proto.raw_values))
    if found.kind == "multiselect":
        return _state(found, list(proto.raw_values))
    if found.kind in {"selectbox", "radio"}:
        return _state(found, proto.raw_value)
    if found.kind == "date_input":
        return _state(found, list(proto.value))
    return _state(found, proto.value)
