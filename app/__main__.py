"""``python -m app``: the window when called without a command, otherwise one command of ``app.cli``."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.cli.parser import Namespace
    from engine.protocol.errors import ErrorInfo


def run(arguments: Namespace) -> int:
    from app.paths import Paths

    paths = Paths.find(arguments.home)
    if arguments.command is None:
        from app.composition import open_window
        from app.screen import need_screen

        need_screen()
        return open_window(paths, sys.argv[:1], files=arguments.open)
    from app.cli.commands import COMMANDS

    return COMMANDS[arguments.command](arguments, paths)


def main(argv: list[str] | None = None) -> int:
    """Run, and turn every failure into a sentence and the exit code that ``engine.protocol.errors`` gives it.

    Nothing is imported before this, so that Ctrl-C ends in a sentence from the first moment on. A polite kill
    (SIGTERM) is the same as Ctrl-C.
    """
    as_json = False
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        from app.cli.output import take_any_text
        from app.cli.parser import parse

        take_any_text()
        arguments = parse(argv)
        as_json = bool(arguments.json)
        return run(arguments)
    except KeyboardInterrupt:
        return _cancelled(as_json)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        return _failed(error, as_json)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _cancelled(as_json: bool) -> int:
    from engine.protocol.errors import Cancelled

    report(Cancelled("Cancelled.").info(), as_json)
    return Cancelled.exit_code


def _failed(error: Exception, as_json: bool) -> int:
    import traceback

    from engine.protocol.errors import MAX_DETAIL, LaternaError, UnknownFailure, shortened

    if isinstance(error, LaternaError):
        report(error.info(), as_json)
        return error.exit_code
    print(shortened(traceback.format_exc(), MAX_DETAIL), file=sys.stderr)
    report(UnknownFailure("This is a bug in Laterna.", "Please report the lines above.").info(), as_json)
    return UnknownFailure.exit_code


def report(error: ErrorInfo, as_json: bool) -> None:
    from app.cli.output import print_json

    print(f"laterna: {error.sentence()}", file=sys.stderr)
    if error.kind == "UnknownFailure" and error.detail:
        print(error.detail, file=sys.stderr)
    if as_json:
        print_json({"error": error})


if __name__ == "__main__":
    sys.exit(main())
