"""Every failure that Laterna can name: what happened, whose fault it is, and the remedy.

    LaternaError
    ├── KnownError                 nobody's bug: the person can do something about it
    │   ├── BadArguments           exit 2   the command line was off
    │   ├── BadRecipe              exit 2   a setting is out of range; ``field`` names it
    │   ├── BadFile                exit 2   a file is damaged, or not what it should be
    │   ├── ModelMissing           exit 3
    │   ├── ModelDamaged           exit 3   files missing, unreadable, or of the wrong shape
    │   ├── UnsafeModel            exit 3   a pickle, or code that a model wants to run
    │   ├── OutOfMemory            exit 4
    │   ├── NotFinite              exit 7   the network gave numbers that are none; ``field``: the setting to change
    │   ├── NoSpace                exit 5   the disk is full
    │   ├── NotWritable            exit 5   the folder cannot be written
    │   ├── NetworkFailed          exit 6
    │   ├── AccessDenied           exit 6
    │   ├── LibraryBusy            exit 2   another Laterna has this library open
    │   └── Cancelled              exit 130
    ├── EngineDied                 exit 1   the engine process ended in the middle of a job
    └── ProtocolError              exit 1   the other side sent something that is no message
    anything else                  exit 1   a bug, shown with its traceback

An error crosses the process border as ``ErrorInfo`` and comes back as the same class.
"""

from __future__ import annotations

import errno
from typing import ClassVar

import msgspec

MAX_SENTENCE = 1200
"""Characters: a sentence may quote a path or a value from a file, and no such quote is of use beyond this."""
MAX_DETAIL = 20_000


def shortened(text: str, most: int) -> str:
    """``text``, or its beginning and its end with what was left out between them."""
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]} […] {text[len(text) - most // 4 :]}"


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as data: ``kind`` is the class name, ``message`` says what happened, ``remedy`` what to do."""

    kind: str
    message: str
    remedy: str = ""
    field: str = ""
    detail: str = ""

    def sentence(self) -> str:
        """Message and remedy as one line for a person."""
        return f"{self.message} {self.remedy}".strip()


class LaternaError(Exception):
    """Base of all named failures. ``message`` and ``remedy`` are whole sentences for the person."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, remedy: str = "", *, field: str = "", detail: str = "") -> None:
        self.message = shortened(message, MAX_SENTENCE)
        self.remedy = shortened(remedy, MAX_SENTENCE)
        self.field = shortened(field, MAX_SENTENCE)
        self.detail = shortened(detail, MAX_DETAIL)
        super().__init__(f"{self.message} {self.remedy}".strip())

    def info(self) -> ErrorInfo:
        return ErrorInfo(type(self).__name__, self.message, self.remedy, self.field, self.detail)


class KnownError(LaternaError):
    exit_code = 2


class BadArguments(KnownError):
    pass


class BadRecipe(KnownError):
    pass


class BadFile(KnownError):
    pass


class LibraryBusy(KnownError):
    pass


class ModelMissing(KnownError):
    exit_code = 3


class ModelDamaged(KnownError):
    exit_code = 3


class UnsafeModel(KnownError):
    exit_code = 3


class OutOfMemory(KnownError):
    exit_code = 4


class NotFinite(KnownError):
    exit_code = 7


class NoSpace(KnownError):
    exit_code = 5


class NotWritable(KnownError):
    exit_code = 5


class NetworkFailed(KnownError):
    exit_code = 6


class AccessDenied(KnownError):
    exit_code = 6


class Cancelled(KnownError):
    exit_code = 130


class EngineDied(LaternaError):
    """``memory_suspected``: it was ended from outside, as the system does when memory has run out.
    ``is_final``: starting it again is of no use.
    """

    memory_suspected = False
    is_final = False


class ProtocolError(LaternaError):
    pass


class UnknownFailure(LaternaError):
    """A bug: an exception that nobody foresaw, with its traceback in ``detail``."""


def _classes(root: type[LaternaError]) -> dict[str, type[LaternaError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found.update(_classes(child))
    return found


def from_info(info: ErrorInfo) -> LaternaError:
    """The exception that ``info`` was made from; an unknown kind becomes ``UnknownFailure``."""
    cls = _classes(LaternaError).get(info.kind, UnknownFailure)
    return cls(info.message, info.remedy, field=info.field, detail=info.detail)


def from_os_error(error: OSError, action: str, path: object = None) -> LaternaError:
    """An ``OSError`` met while doing ``action`` ("saving the picture") as a sentence with a remedy."""
    where = f" ({path})" if path is not None else ""
    is_read = action.startswith(("reading", "opening"))
    look = "Check the name and your permission."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(
            f"The disk is full: {action} failed{where}.", "Free some space, or choose another folder, and try again."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return NotWritable(
            f"No permission for {action}{where}.", look if is_read else "Choose a folder that you can write to."
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG):
        return NotWritable(
            f"{action[:1].upper()}{action[1:]} failed{where}: {error.strerror}.",
            look if is_read else "Check that the folder exists.",
        )
    again = look if is_read and error.errno == errno.EINVAL else "Try again."  # no ordinary file
    return NotWritable(f"{action[:1].upper()}{action[1:]} failed{where}: {error.strerror or error}.", again)
