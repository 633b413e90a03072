r"""Prompts as Automatic1111, Forge and SD.Next read them.

``(x)`` multiplies by 1.1, ``[x]`` divides by it, ``(x:w)`` multiplies by ``w``, and all of these multiply where they
nest; ``\(``, ``\)``, ``\[``, ``\]`` and ``\\`` are plain characters; a bracket that is never closed reaches to the end.
"""

from __future__ import annotations

import re

from engine.interop.foreign import Lora
from engine.interop.prompt_weights import Weighted, parse, text_of
from engine.interop.report import Notes
from engine.protocol.conditioning_rules import MAX_PROMPT_CHARS

_TOKEN = re.compile(r"\\[()\[\]\\]|[()\[\]]")
_TAIL = re.compile(r":\s*([+-]?[.\d]+)\s*$")
_LORA = re.compile(r"<(?:lora|lyco):([^:<>]{1,200})(?::([^<>]{0,40}))?>")
_EDITING = re.compile(r"\[[^\[\]]{0,200}[:|][^\[\]]{0,200}\]")
_MAX_DEPTH = 50


def read(prompt: str, notes: Notes, commands: bool = True) -> tuple[list[Weighted], list[Lora]]:
    """The pieces of a prompt with their weights, and the LoRAs that it names.

    ``commands`` is False where the text is Laterna's, and BREAK or <lora:…> mere words.
    """
    if len(prompt) > MAX_PROMPT_CHARS:
        notes.approximated(f"A prompt has {len(prompt):,} characters; the first {MAX_PROMPT_CHARS:,} are used.")
        prompt = prompt[:MAX_PROMPT_CHARS]
    if not commands:
        return _pieces(prompt), []
    loras = [_lora(name, strengths) for name, strengths in _LORA.findall(prompt)]
    prompt = _LORA.sub("", prompt).strip(" ,\n") if loras else prompt
    if _EDITING.search(_without_escapes(prompt)):
        notes.approximated(
            "The prompt changes words during the steps, as in [cat:dog:0.5]; all of them are read at once."
        )
    for word in ("BREAK", "AND"):
        if re.search(rf"\b{word}\b", prompt):
            notes.approximated(f"The prompt is divided by {word}; Laterna reads it as one text.")
            prompt = re.sub(rf"\s*\b{word}\b\s*", ", ", prompt)
    return _pieces(prompt), loras


def _lora(name: str, strengths: str) -> Lora:
    """``<lora:name:text:network>`` by place, or ``te=`` and ``unet=`` by name; one strength is that of both."""
    placed = [part for part in strengths.split(":") if part and "=" not in part]
    named = dict(part.split("=", 1) for part in strengths.split(":") if "=" in part)
    text = named.get("te", placed[0] if placed else "1")
    network = named.get("unet", placed[1] if len(placed) > 1 else text)
    return Lora(name.strip(), network, "", None if text == network else text)


def _without_escapes(prompt: str) -> str:
    return re.sub(r"\\.", "", prompt)


def _pieces(prompt: str) -> list[Weighted]:
    """One pass with a stack of where each open bracket's pieces begin."""
    pieces: list[list[object]] = []
    stack: list[tuple[str, int]] = []
    place = 0

    def multiply(start: int, factor: float) -> None:
        for piece in pieces[start:]:
            piece[1] = float(piece[1]) * factor  # type: ignore[arg-type]

    def add(text: str) -> None:
        """Text at the present depth goes on with the piece before it, if that began there too."""
        if len(pieces) > (stack[-1][1] if stack else 0) and pieces[-1][1] == 1.0:
            pieces[-1][0] = str(pieces[-1][0]) + text
        elif text:
            pieces.append([text, 1.0])

    for match in _TOKEN.finditer(prompt):
        text, place = prompt[place : match.start()], match.end()
        token = match[0]
        stated = _TAIL.search(text[-40:]) if token == ")" and stack and stack[-1][0] == "(" else None
        if stated is not None:
            text = text[: -len(stated[0])]
        add(text)
        if len(token) == 2:
            add(token[1])
        elif token in "([" and len(stack) < _MAX_DEPTH:
            stack.append((token, len(pieces)))
        elif stack and (stack[-1][0], token) in (("(", ")"), ("[", "]")):
            opened, start = stack.pop()
            multiply(start, _factor(stated[1]) if stated else (1.1 if opened == "(" else 1 / 1.1))
        else:
            add(token)
    add(prompt[place:])
    for opened, start in stack:
        multiply(start, 1.1 if opened == "(" else 1 / 1.1)
    return parse(text_of(Weighted(str(text), float(weight)) for text, weight in pieces))  # type: ignore[arg-type]


def _factor(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def write(prompt: str, weighted: bool) -> str:
    """A recipe's text in this language; ``weighted`` where its parentheses are weights."""
    pieces = parse(prompt) if weighted else [Weighted(prompt)]
    parts = []
    for piece in pieces:
        text = re.sub(r"([\\()\[\]])", r"\\\1", piece.text)
        parts.append(text if piece.weight == 1 else f"({text}:{_decimal(piece.weight)})")
    return "".join(parts)


def _decimal(weight: float) -> str:
    """No exponent: the programs do not read one."""
    short = f"{weight:.10f}".rstrip("0").rstrip(".")
    return short if float(short) == weight else f"{weight:.20f}".rstrip("0")


def recipe_text(pieces: list[Weighted]) -> tuple[str, bool]:
    """The pieces as a recipe's text, and whether that text has weights in it."""
    if all(piece.weight == 1 for piece in pieces):
        return "".join(piece.text for piece in pieces), False
    return text_of(pieces), True


def joined(texts: list[tuple[str, bool]]) -> tuple[list[str], bool]:
    """Texts of one recipe share a way of reading: where one has weights, the others get their escapes."""
    weighted = any(flag for _, flag in texts)
    return [text if flag or not weighted else text_of([Weighted(text)]) for text, flag in texts], weighted
