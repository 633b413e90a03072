"""Train, fine-tune, export and evaluate: ``python -m engine.training COMMAND --help``."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from typing import Any

from engine.protocol.errors import LaternaError

from .arguments import check, parser


def main() -> int:
    """The exit code is that of the error, as `engine.protocol.errors` gives it; 1 for a bug."""
    arguments = parser().parse_args()
    if arguments.processes > 1 and "RANK" not in os.environ:
        from .parallel import launch

        return launch(arguments.processes, sys.argv[1:])
    as_json = arguments.json or arguments.command in ("show", "list", "watch", "export", "evaluate", "latent-rgb")
    try:
        report = _run(arguments)
    except LaternaError as error:
        print(f"laterna: {error.info().sentence()}", file=sys.stderr)
        if arguments.json:
            print(json.dumps({"error": {"kind": type(error).__name__, "message": error.message}}))
        return error.exit_code
    except KeyboardInterrupt:
        print("laterna: Cancelled.", file=sys.stderr)
        return 130
    except Exception:
        traceback.print_exc()
        print("laterna: This is a bug in Laterna. Please report the lines above.", file=sys.stderr)
        return 1
    if int(os.environ.get("RANK", "0")) == 0:
        print(json.dumps(report, indent=1) if as_json else _plain(report))
    return 0


def _run(arguments: Any) -> dict[str, Any]:
    check(arguments)
    from engine.worker.orphans import PARENT_VARIABLE, end_with_parent

    if PARENT_VARIABLE in os.environ:
        end_with_parent()
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    import torch
    from transformers.utils import logging as transformers_logging

    from .commands import COMMANDS

    transformers_logging.disable_progress_bar()

    torch.set_num_threads(arguments.threads)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    return COMMANDS[arguments.command](arguments)


def _plain(report: dict[str, Any], indent: str = "") -> str:
    """One line a figure."""
    lines = []
    for key, value in report.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}", _plain(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key:24} {value:.5g}" if isinstance(value, float) else f"{indent}{key:24} {value}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
