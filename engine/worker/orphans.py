"""An engine whose window has gone ends as well, whatever it is busy with.

The reader thread ends the process when stdin closes, but a main thread that holds the interpreter in C would keep that
thread waiting; so the system is asked too. Linux: a signal when the parent's thread ends. macOS: kqueue. Windows: the
parent's process handle.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

PARENT_VARIABLE = "LATERNA_PARENT"
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SYNCHRONIZE = 0x00100000  # winnt.h
_INFINITE = 0xFFFFFFFF


def end_with_parent() -> None:
    """Arrange that this process ends with its parent; ends it at once if the parent has already gone."""
    parent = int(os.environ.get(PARENT_VARIABLE) or os.getppid())
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    elif sys.platform == "darwin":
        _watch(_wait_with_kqueue, parent)
    elif sys.platform == "win32":
        _watch(_wait_with_handle, parent)
    # The parent may have gone before the line above: then this process has another parent by now.
    if sys.platform != "win32" and PARENT_VARIABLE in os.environ and os.getppid() != parent:
        os._exit(0)


def _watch(wait: object, parent: int) -> None:
    def run() -> None:
        wait(parent)  # type: ignore[operator]
        os._exit(0)

    threading.Thread(target=run, name="parent-watch", daemon=True).start()


def _wait_with_kqueue(parent: int) -> None:
    import select

    queue = select.kqueue()  # type: ignore[attr-defined]
    event = select.kevent(  # type: ignore[attr-defined]
        parent,
        select.KQ_FILTER_PROC,  # type: ignore[attr-defined]
        select.KQ_EV_ADD,  # type: ignore[attr-defined]
        select.KQ_NOTE_EXIT,  # type: ignore[attr-defined]
    )
    try:
        queue.control([event], 1, None)
    except ProcessLookupError:
        return  # gone already


def _wait_with_handle(parent: int) -> None:
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    handle = kernel.OpenProcess(_SYNCHRONIZE, False, parent)
    if handle:
        kernel.WaitForSingleObject(handle, _INFINITE)
