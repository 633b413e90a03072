"""JSON from strangers: bounded, and with NaN and infinity, which ComfyUI itself writes, as their names: no number."""

from __future__ import annotations

import json
from typing import Any

from engine.protocol.errors import BadFile

MAX_BYTES = 4 * 1024 * 1024


def loads(text: str | bytes) -> Any:
    """Parse ``text``; raises ``BadFile`` with a sentence for what is too large, too deep or no JSON."""
    if len(text) > MAX_BYTES:
        raise BadFile(
            f"This workflow is {len(text) / 1e6:.0f} MB; Laterna reads up to {MAX_BYTES / 1e6:.0f} MB.",
            "Save it without embedded pictures.",
        )
    try:
        return json.loads(text, parse_constant=str)
    except RecursionError as error:
        raise BadFile("This workflow is nested too deeply to be real.", "Choose another file.") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise BadFile(
            f"This is no JSON: {str(error)[:120]}.", "Choose a workflow, or a picture that has one."
        ) from error
