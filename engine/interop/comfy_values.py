"""Values that nodes hold, join or compute: constants, texts, sums, sizes."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from engine.interop.comfy_outputs import output_name
from engine.interop.graph import Graph, Link, Node
from engine.interop.report import as_integer, as_number
from engine.interop.widgets import is_known
from engine.protocol.conditioning_rules import MAX_PROMPT_CHARS

MAX_DEPTH = 30
MAX_EXPRESSION = 300
# What nodes that only hold a value call it, the likeliest first.
_HELD = (
    *("value", "seed", "noise_seed", "seed_num", "int", "float", "Number", "number", "boolean", "string", "String"),
    *("text", "Text", "prompt", "positive", "negative", "populated_text", "input", "anything", "any", "INT", "FLOAT"),
)
_SIZE = re.compile(r"(\d{2,5})\s*[x×*]\s*(\d{2,5})")
_MAKES = re.compile(
    r"llm|gpt|ollama|gemini|claude|groq|mistral|deepseek|llama|florence|caption|interrogat|tagger|wd14|blip|enhanc|translat"
    r"|describ|joy|qwen|vision|random|wildcard|generat|api|llava|expand|rewrite|superprompt|portrait",
    re.IGNORECASE,
)
Result = str | int | float | bool | None


class Unknown(Exception):
    """What a node makes cannot be known without running it; the node is the argument."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.label)
        self.node = node


class Values:
    """Computes what the graph says; ``used`` is told of every node that it looked at."""

    def __init__(self, graph: Graph, used: set[str]) -> None:
        self._graph = graph
        self._used = used

    def of(self, node: Node, name: str, depth: int = 0) -> Result:
        """The plain value of an input; None where there is none. Raises ``Unknown``."""
        value = node.inputs.get(name)
        if not isinstance(value, Link):
            return value if isinstance(value, str | int | float | bool) else None
        return self.at(value, name, depth + 1)

    def at(self, link: Link, name: str, depth: int) -> Result:
        source = self._graph.get(link.node)
        if source is None:
            return None
        if depth > MAX_DEPTH:
            raise Unknown(source)
        self._used.add(source.id)
        if not source.readable:
            raise Unknown(source)
        out = output_name(source, link.slot)
        rule = _RULES.get(source.type)
        if rule is not None:
            return rule(self, source, out, depth)
        if out in ("width", "height", "clip_width", "clip_height"):
            size = self.size(source, depth)
            if size is not None:
                return size[out.endswith("height")]
            raise Unknown(source)
        if not _holds(source):
            raise Unknown(source)
        plain = {out, name} - {""}
        for candidate in (*sorted(plain), *_HELD):
            if candidate in source.inputs:
                found = self.of(source, candidate, depth)
                if found is not None:
                    return found
        raise Unknown(source)

    def size(self, node: Node, depth: int = 0) -> tuple[int, int] | None:
        """The size that a node is set to: its numbers, or one chosen from a list such as "832x1216 (0.68)"."""
        width = height = None
        for name in ("resolution", "dimensions", "aspect_ratio", "size_selected", "size", "preset"):
            said = _SIZE.search(str(self._quiet(node, name, depth) or ""))
            if said:
                width, height = int(said[1]), int(said[2])
                break
        for prefix, suffix in (("empty_latent_", ""), ("target_", ""), ("resize_", ""), ("custom_", ""), ("", "")):
            own = [as_integer(self._quiet(node, f"{prefix}{side}{suffix}", depth)) for side in ("width", "height")]
            if width is None and own[0] and own[1]:
                width, height = own[0], own[1]
        if width is None or height is None:
            return None
        over = [as_integer(self._quiet(node, f"{side}_override", depth)) or 0 for side in ("width", "height")]
        width, height = over[0] or width, over[1] or height
        turned = str(self._quiet(node, "swap_dimensions", depth) or self._quiet(node, "invert", depth) or "").lower()
        if turned in ("on", "true"):
            width, height = height, width
        return width, height

    def _quiet(self, node: Node, name: str, depth: int) -> Result:
        try:
            return self.of(node, name, depth + 1) if name in node.inputs else None
        except Unknown:
            return None

    def texts(self, node: Node, names: list[str], between: str, depth: int) -> str:
        parts = [self.of(node, name, depth) for name in names if name in node.inputs]
        return between.join(str(part)[:MAX_PROMPT_CHARS] for part in parts if part not in (None, ""))[
            : 2 * MAX_PROMPT_CHARS
        ]


def _holds(node: Node) -> bool:
    """Whether what a node gives out is what it was given: one that is known, or one of a single value that does not
    sound as if it made something of it."""
    if is_known(node.type):
        return True
    given = [name for name in node.inputs if name not in ("control_after_generate", "title")]
    return len(given) <= 1 and not _MAKES.search(node.type)


def _lettered(node: Node, pattern: str) -> list[str]:
    names = [name for name in node.inputs if re.fullmatch(pattern, name)]
    return sorted(names, key=lambda name: (len(name), name))


def _join(pattern: str, separator: str, usual: str) -> Callable[[Values, Node, str, int], Result]:
    def rule(values: Values, node: Node, out: str, depth: int) -> Result:
        between = values.of(node, separator, depth) if separator in node.inputs else usual
        return values.texts(node, _lettered(node, pattern), str(between or "").replace("\\n", "\n"), depth)

    return rule


def _concatenate(values: Values, node: Node, out: str, depth: int) -> Result:
    between = str(values.of(node, "delimiter", depth) or "")
    parts = [str(values.of(node, name, depth) or "")[:MAX_PROMPT_CHARS] for name in ("string_a", "string_b")]
    return between.join(parts)[: 2 * MAX_PROMPT_CHARS]


def _was_concatenate(values: Values, node: Node, out: str, depth: int) -> Result:
    between = str(values.of(node, "delimiter", depth) or "") if "delimiter" in node.inputs else ""
    if "delimiter" not in node.inputs and values.of(node, "linebreak_addition", depth) == "true":
        between = "\n"
    between = {"\\n": "\n", "newline": "\n", "tab": "\t", "space": " "}.get(between, between)
    if values.of(node, "clean_whitespace", depth) in ("true", True):
        parts = [str(values.of(node, name, depth) or "").strip() for name in _lettered(node, r"text_[a-d]")]
        return between.join(part for part in parts if part)
    return values.texts(node, _lettered(node, r"text_[a-d]"), between, depth)


def _string_function(values: Values, node: Node, out: str, depth: int) -> Result:
    texts = [str(values.of(node, f"text_{letter}", depth) or "") for letter in "abc"]
    if values.of(node, "action", depth) == "replace":
        return texts[0].replace(texts[1], texts[2]) if texts[1] else texts[0]
    joined = ", " if values.of(node, "tidy_tags", depth) in ("yes", True) else ""
    return joined.join(text for text in texts if text)


def _replace(values: Values, node: Node, out: str, depth: int) -> Result:
    text, find, new = (
        str(values.of(node, name, depth) or "")
        for name in ("string" if "string" in node.inputs else "text", "find", "replace")
    )
    return text.replace(find, new)[: 2 * MAX_PROMPT_CHARS] if find else text


def _trim(values: Values, node: Node, out: str, depth: int) -> Result:
    return str(values.of(node, "string", depth) or "").strip()


def _named_output(values: Values, node: Node, out: str, depth: int) -> Result:
    return values.of(node, out, depth)


def _shown(values: Values, node: Node, out: str, depth: int) -> Result:
    for name in ("text", "text_0", "text2", "text_1"):
        value = node.inputs.get(name)
        if isinstance(value, list) and value and isinstance(value[0], str):
            return value[0]
        if value is not None:
            return values.of(node, name, depth)
    raise Unknown(node)


def _config(values: Values, node: Node, out: str, depth: int) -> Result:
    return values.of(node, {"steps": "steps_total", "sampler": "sampler_name"}.get(out, out), depth)


def _wildcards(values: Values, node: Node, out: str, depth: int) -> Result:
    text = str(values.of(node, "populated_text", depth) or "") or str(values.of(node, "wildcard_text", depth) or "")
    if re.search(r"__[\w/\- ]+__|\{[^{}]*\|", text):
        raise Unknown(node)
    return text


_OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "a+b": operator.add,
    "+": operator.add,
    "subtract": operator.sub,
    "sub": operator.sub,
    "a-b": operator.sub,
    "-": operator.sub,
    "multiply": operator.mul,
    "mul": operator.mul,
    "a*b": operator.mul,
    "*": operator.mul,
    "divide": operator.truediv,
    "div": operator.truediv,
    "a/b": operator.truediv,
    "/": operator.truediv,
    "modulo": operator.mod,
    "mod": operator.mod,
    "max": max,
    "min": min,
}


def _operation(values: Values, node: Node, out: str, depth: int) -> Result:
    word = str(values.of(node, "operation", depth) or values.of(node, "op", depth) or "").lower().replace(" ", "")
    operation = _OPERATIONS.get(word)
    numbers = [as_number(values.of(node, name, depth)) for name in ("a", "b")]
    if operation is None or numbers[0] is None or numbers[1] is None:
        raise Unknown(node)
    try:
        result = float(operation(numbers[0], numbers[1]))
    except (ArithmeticError, ValueError) as error:
        raise Unknown(node) from error
    return int(result) if "Int" in node.type else result


def _expression(values: Values, node: Node, out: str, depth: int) -> Result:
    text = str(values.of(node, "expression" if "expression" in node.inputs else "value", depth) or "")
    names: dict[str, float] = {}
    for name in node.inputs:
        found = as_number(values.of(node, name, depth)) if name not in ("expression", "value") else None
        if found is not None:
            names[name.rpartition(".")[2]] = found
    try:
        result = computed(text, names)
    except (ArithmeticError, ValueError, TypeError, SyntaxError, KeyError, RecursionError, MemoryError) as error:
        raise Unknown(node) from error
    return int(result) if out in ("int", "") and "SimpleMath" not in node.type else _rounded(result, out)


def _rounded(result: float, out: str) -> float:
    return round(result) if out in ("int", "") else result


_BINARY: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "round": round,
    "ceil": math.ceil,
    "floor": math.floor,
    "int": int,
    "float": float,
    "abs": abs,
    "min": min,
    "max": max,
    "sqrt": math.sqrt,
}


def computed(text: str, names: Mapping[str, float]) -> float:
    """An expression of numbers, names and plain functions; raises for anything else."""
    if len(text) > MAX_EXPRESSION:
        raise ValueError("too long")

    def value(node: ast.AST) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return node.value
        if isinstance(node, ast.Name):
            return names[node.id]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            inner = value(node.operand)
            return -inner if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Pow):
                base, power = value(node.left), value(node.right)
                if abs(power) > 64 or abs(base) > 1e6:
                    raise ValueError("too large")
                return float(base**power)
            return _BINARY[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return _FUNCTIONS[node.func.id](*(value(argument) for argument in node.args))
        raise ValueError("no number")

    result = value(ast.parse(text.strip(), mode="eval").body)
    if not math.isfinite(result):
        raise ValueError("no number")
    return result


_RULES: Mapping[str, Callable[[Values, Node, str, int], Result]] = {
    "StringConcatenate": _concatenate,
    "Text Concatenate": _was_concatenate,
    "CR Text Concatenate": _join(r"text\d", "separator", ""),
    "JoinStrings": _join(r"string\d", "delimiter", " "),
    "JoinStringMulti": _join(r"string_\d+", "delimiter", " "),
    "ttN concat": _join(r"text\d", "delimiter", ""),
    "Text Concat": _join(r"text\d", "separator", ", "),
    "easy promptConcat": _join(r"prompt\d", "separator", ""),
    "easy promptLine": _shown,
    "StringFunction|pysssss": _string_function,
    "KSampler Config (rgthree)": _config,
    "StringReplace": _replace,
    "Text Find and Replace": _replace,
    "CR Text Replace": _replace,
    "StringTrim": _trim,
    "Text String": _named_output,
    "SDXLPromptStyler": _named_output,
    "ShowText|pysssss": _shown,
    "ImpactWildcardProcessor": _wildcards,
    "easy mathInt": _operation,
    "easy mathFloat": _operation,
    "CM_IntBinaryOperation": _operation,
    "CM_FloatBinaryOperation": _operation,
    "IntMathOperation": _operation,
    "MathExpression|pysssss": _expression,
    "SimpleMath+": _expression,
    "ComfyMathExpression": _expression,
}
