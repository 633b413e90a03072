"""What ComfyUI's editor does to a text before it sends it: comments go, and of ``{a|b}`` one is drawn at random.

A workflow from the editor has the text as it was typed, a graph that was sent has it resolved.
"""

from __future__ import annotations

import re
from typing import Any

from engine.interop.report import Notes

_FIELDS = {
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeSD3": ("clip_l", "clip_g", "t5xxl"),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl"),
    "CLIPTextEncodeSDXL": ("text_g", "text_l"),
}
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_CHOICE = re.compile(r"(?<!\\)\{([^{}]*)(?<!\\)\}")
_MAX_CHARS = 100_000
_MAX_DEPTH = 10


def resolve_dynamic_prompts(label: str, kind: str, widgets: dict[str, Any], notes: Notes) -> None:
    """Resolve the texts of one node in place; of alternatives the first is taken, and said."""
    for name in _FIELDS.get(kind, ()):
        text = widgets.get(name)
        if not isinstance(text, str) or len(text) > _MAX_CHARS or not re.search(r"[{]|/[/*]", text):
            continue
        resolved = _COMMENT.sub("", text) if "*/" in text or "//" in text else text
        for _ in range(_MAX_DEPTH):
            chosen = _CHOICE.sub(lambda match: match[1].split("|")[0], resolved)
            if chosen == resolved:
                break
            resolved = chosen
            notes.approximated(f"{label} draws one of several texts at random; Laterna takes the first.")
        widgets[name] = resolved.replace(r"\{", "{").replace(r"\}", "}")
