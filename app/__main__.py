"""``python -m app``: the window when called without a command, otherwise one command of ``app.cli``."""

from __future__ import annotations

import sys
import traceback

from app.cli.parser import Namespace, build_parser
from app.paths import Paths
from app.screen import need_screen
from engine.protocol.errors import ErrorInfo, LaternaError


def run(arguments: Namespace) -> int:
    paths = Paths.find(arguments.home)
    if arguments.command is None:
        need_screen()
        from app.composition import open_window

        return open_window(paths, sys.argv[:1])
    from app.cli.commands import COMMANDS

    return COMMANDS[arguments.command](arguments, paths)


def main(argv: list[str] | None = None) -> int:
    """Run, and turn every failure into a sentence and the exit code that ``engine.protocol.errors`` gives it."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    as_json = bool(getattr(arguments, "json", False))
    try:
        return run(arguments)
    except LaternaError as error:
        report(error.info(), as_json)
        return error.exit_code
    except KeyboardInterrupt:
        report(ErrorInfo("Cancelled", "Cancelled."), as_json)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception:
        traceback.print_exc()
        report(ErrorInfo("UnknownFailure", "This is a bug in Laterna.", "Please report the lines above."), as_json)
        return 1


def report(error: ErrorInfo, as_json: bool) -> None:
    from app.cli.output import print_json

    print(f"laterna: {error.sentence()}", file=sys.stderr)
    if error.kind == "UnknownFailure" and error.detail:
        print(error.detail, file=sys.stderr)
    if as_json:
        print_json({"error": error})


if __name__ == "__main__":
    sys.exit(main())
