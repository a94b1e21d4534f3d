"""Finds what holds up the event loop, in ways that don't depend on how fast or how busy the machine is.

Three signs, none of which is time alone:

- a call that waits, such as `time.sleep` or a connection without asyncio, announces itself as an audit event on the
  loop's thread;
- much processor time between two awaits, of the thread itself (the recorder measures it);
- a thread that stays at one instruction for long while another thread is woken again and again: a thread that merely
  gets no processor would keep the other from running too.
"""

# The only ways to see where a thread is.
# pyright: reportPrivateUsage=false

import sys
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import attrs

from studiogate.testing.rules import RuleBroken

_TICK_S = 0.02
"""How often the watching thread looks, seconds; later where the machine is busy."""


def _sleeps(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments[0] > 0)


def _connects(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments[0].gettimeout() != 0)


def _always(_: tuple[Any, ...]) -> bool:
    return True


_WAITING: dict[str, tuple[str, Callable[[tuple[Any, ...]], bool]]] = {
    "time.sleep": ("time.sleep, which waits without asyncio", _sleeps),
    "socket.connect": ("a connection that waits without asyncio", _connects),
    "socket.getaddrinfo": ("a name looked up without asyncio", _always),
    "urllib.Request": ("urllib, which waits without asyncio", _always),
    "os.system": ("os.system, which waits for the command", _always),
}
"""Audit events of calls that wait: what to say of them, and whether a call does, by its arguments."""


@attrs.define
class Watch:
    """Watch the thread that made it."""

    ticks: int
    """How often in a row the thread may be seen at one instruction."""
    found: list[str] = attrs.field(factory=list[str])
    """What held up the thread, and where."""
    _thread: int = attrs.field(factory=threading.get_ident)
    _over: threading.Event = attrs.field(factory=threading.Event)

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event."""
        if event not in _WAITING or threading.get_ident() != self._thread:
            return
        what, waits = _WAITING[event]
        if waits(arguments):
            # Frame 0 is this method, 1 the audit hook, 2 who makes the call.
            self._note(what, sys._getframe(2))  # noqa: SLF001 - there is no other way to see who calls

    def _note(self, what: str, frame: FrameType) -> None:
        where = traceback.extract_stack(frame)[-1]
        self.found.append(f"{what} (in {where.name}, line {where.lineno} of {where.filename.rpartition('/')[2]})")

    def stare(self) -> None:
        """Look again and again at where the thread is, from another one; notes where it doesn't get on."""
        at: tuple[FrameType, int] | None = None
        same = 0
        while not self._over.wait(_TICK_S):
            frame = sys._current_frames()[self._thread]  # noqa: SLF001 - nor where another thread is
            now = (frame, frame.f_lasti)
            same = same + 1 if now == at and not _idle(frame) else 0
            at = now
            if same == self.ticks:
                self._note("the loop stood still", frame)

    def check(self) -> None:
        """Raise RuleBroken where something held up the thread."""
        if self.found:
            raise RuleBroken(self.found[0], "asyncio's own means, or asyncio.to_thread")

    def end(self) -> None:
        """Watch no more."""
        self._over.set()


def _idle(frame: FrameType) -> bool:
    """Tell whether a thread is in its event loop, waiting for something to do."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] in {"asyncio", "selectors", "uvloop"}


_watching: list[Watch] = []
_hooked: list[bool] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    for watch in _watching:
        watch.heard(event, arguments)


@contextmanager
def watching(stands_s: float) -> Generator[Watch]:
    """Watch this thread until the context is left.

    :param stands_s: seconds at one instruction, on a machine that does nothing else, that hold up the loop.
    """
    if not _hooked:
        # It can't be taken away again; it does nothing while nobody watches.
        sys.addaudithook(_audit)
        _hooked.append(True)
    watch = Watch(ticks=round(stands_s / _TICK_S))
    starer = threading.Thread(target=watch.stare, name="studiogate-testing-watch", daemon=True)
    _watching.append(watch)
    starer.start()
    try:
        yield watch
    finally:
        _watching.remove(watch)
        watch.end()
        starer.join()
