"""What the garbage collector need not look at again and again."""

from __future__ import annotations

import gc


def set_aside() -> None:
    """Set aside what lives now, so that collecting garbage does not walk it any more.

    Streamlit collects the whole heap after every run. Modules and tables stay for good anyway, and
    walking them (130,000 objects) takes 40 to 90 ms, longer than drawing most pages. To be called
    a few times in a process, after something large was imported: garbage in circles that is set
    aside by mistake would stay, so it is collected first.
    """
    gc.collect()
    gc.freeze()
