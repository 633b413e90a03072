"""Translations: `.venv/bin/python resources/translations/update.py` after a string in the window changed.

Takes every string out of ``ui`` and ``app`` (``self.tr``, ``translate``, ``QT_TRANSLATE_NOOP`` and the helpers around
them; Qt's own ``lupdate`` does not see through those), and every sentence of the engine's errors; brings each
``laterna_<language>.ts`` up to date, compiles it with Qt's ``lrelease``, and lists what is not translated yet. With
``--fill FILE`` (a JSON object of context → source → translation) it enters translations. Exit code 1: some are missing.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDERS = ("ui", "app")
LANGUAGES = ("pt_BR",)
SENTENCES = "Sentences"
SENTENCES_FILE = HERE / "sentences.json"
_ERRORS = ("KnownError", "LaternaError")
_MESSAGE_CALLS = ("refuse", "refused", "_refused", "damaged", "_damaged")
_NOTE_CALLS = ("understood", "approximated", "ignored", "only")
"""Of a report on another program's file."""
_MESSAGE_FUNCTIONS = (
    *("control_sentence", "_not_here", "_where_to_get"),
    *("_sentence", "_sentence_without_compiler", "_sentence_of_failure"),
)
"""Functions of the engine that return what a person reads."""


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)")


class Text(NamedTuple):
    context: str
    source: str


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def collect() -> list[Text]:
    """Every string of the window, in the order of files and lines."""
    found: dict[Text, None] = {}
    for path in python_files(*FOLDERS):
        found.update(dict.fromkeys(texts_of(ast.parse(path.read_text("utf-8")))))
    return sorted(found)


def texts_of(tree: ast.Module) -> Iterator[Text]:
    helpers = dict(_helpers(tree))

    def visit(node: ast.AST, owner: str) -> Iterator[Text]:
        if isinstance(node, ast.ClassDef):
            owner = node.name
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            strings = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if name == "tr" and isinstance(node.func, ast.Attribute) and strings:
                yield Text(owner, strings[0])
            elif name in ("translate", "T", "QT_TRANSLATE_NOOP") and len(strings) >= 2:
                yield Text(strings[0], strings[1])
            elif name in helpers and strings and isinstance(node.func, ast.Name):
                yield Text(helpers[name], strings[0])
        for child in ast.iter_child_nodes(node):
            yield from visit(child, owner)

    yield from visit(tree, "")


def _helpers(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Functions that translate their argument in a context of their own: name and context."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") != "translate":
                    continue
                if (
                    len(call.args) == 2
                    and isinstance(call.args[0], ast.Constant)
                    and isinstance(call.args[1], ast.Name)
                ) and call.args[1].id in [argument.arg for argument in function.args.args]:
                    yield function.name, str(call.args[0].value)


def sentences() -> list[str]:
    """What the engine's errors say, with ``{}`` where a value stands: messages and remedies."""
    classes = set(_ERRORS)
    trees = [ast.parse(path.read_text("utf-8")) for path in python_files("engine/protocol", "engine")]
    for _ in range(3):
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and classes & {getattr(base, "id", "") for base in node.bases}:
                    classes.add(node.name)
    found: dict[str, None] = {}
    shared = {name: value for tree in trees for name, value in _constants(tree)}
    for tree in trees:
        constants = shared | dict(_constants(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in classes or name in _MESSAGE_CALLS or (name in _NOTE_CALLS and _is_note(node)):
                    for value in (*node.args, *(key.value for key in node.keywords if key.arg == "remedy")):
                        said = constants.get(value.id, value) if isinstance(value, ast.Name) else value
                        found.update(dict.fromkeys(text for text in _templates(said) if _is_sentence(text)))
            elif isinstance(node, ast.FunctionDef) and node.name in _MESSAGE_FUNCTIONS:
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Return) and inner.value is not None:
                        found.update(dict.fromkeys(text for text in _templates(inner.value) if _is_sentence(text)))
    for path in python_files("engine/doctor"):
        found.update(dict.fromkeys(_all_sentences(ast.parse(path.read_text("utf-8")))))
    return sorted(found)


def _is_note(call: ast.Call) -> bool:
    """A call of ``notes`` or ``self._notes``."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return str(getattr(owner, "id", getattr(owner, "attr", ""))).endswith("notes")


def _all_sentences(tree: ast.Module) -> Iterator[str]:
    """Every sentence of a file whose business is to say them; its docstrings are statements of their own."""
    silent = {part for node in ast.walk(tree) if isinstance(node, ast.Expr | ast.JoinedStr) for part in ast.walk(node)}
    spoken = (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) or node not in silent)
    for node in spoken:
        if isinstance(node, ast.Constant | ast.JoinedStr):
            for text in _templates(node):
                parts = (re.sub(r"^\{\} (?=[A-Z])", "", part.strip()) for part in _SENTENCE_END.split(text))
                yield from (part for part in parts if _is_sentence(part))


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """A file's names for values, as for a remedy that several errors share; other files import some."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _templates(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
        yield "".join(parts)
    elif isinstance(node, ast.IfExp):
        yield from _templates(node.body)
        yield from _templates(node.orelse)


def _is_sentence(text: str) -> bool:
    return " " in text.strip() and text.rstrip().endswith((".", "!", "?"))


def read(path: Path) -> dict[Text, str]:
    """The translations of a file; empty for one that is unfinished."""
    if not path.exists():
        return {}
    found = {}
    for context in ElementTree.parse(path).getroot().iter("context"):
        name = context.findtext("name", "")
        for message in context.iter("message"):
            translation = message.find("translation")
            done = translation is not None and translation.get("type") != "unfinished"
            found[Text(name, message.findtext("source", ""))] = (translation.text or "") if done else ""
    return found


def write(path: Path, language: str, texts: list[Text], known: dict[Text, str]) -> list[Text]:
    """Write the file; returns what has no translation."""
    root = ElementTree.Element("TS", version="2.1", language=language, sourcelanguage="en")
    contexts: dict[str, ElementTree.Element] = {}
    missing = []
    for text in texts:
        context = contexts.get(text.context)
        if context is None:
            context = contexts[text.context] = ElementTree.SubElement(root, "context")
            ElementTree.SubElement(context, "name").text = text.context
        message = ElementTree.SubElement(context, "message")
        ElementTree.SubElement(message, "source").text = text.source
        translation = ElementTree.SubElement(message, "translation")
        translation.text = known.get(text, "")
        if not translation.text:
            translation.set("type", "unfinished")
            missing.append(text)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{body}\n', "utf-8")
    return missing


def compile_to(ts: Path, qm: Path) -> None:
    release = Path(sys.executable).with_name("pyside6-lrelease")
    subprocess.run([str(release), "-silent", str(ts), "-qm", str(qm)], check=True, capture_output=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fill", type=Path, help="a JSON file of context → source → translation")
    parser.add_argument("--missing", type=Path, help="write what is missing there, ready to be filled in")
    arguments = parser.parse_args()
    errors = sentences()
    SENTENCES_FILE.write_text(json.dumps(errors, indent=1, ensure_ascii=False) + "\n", "utf-8")
    texts = [*collect(), *(Text(SENTENCES, sentence) for sentence in errors)]
    count = 0
    for language in LANGUAGES:
        path = HERE / f"laterna_{language}.ts"
        known = read(path)
        if arguments.fill:
            for context, entries in json.loads(arguments.fill.read_text("utf-8")).items():
                known.update({Text(context, source): text for source, text in entries.items()})
        missing = write(path, language, texts, known)
        compile_to(path, path.with_suffix(".qm"))
        print(f"{path.name}: {len(texts) - len(missing)} of {len(texts)}")
        open_ones: dict[str, dict[str, str]] = {}
        for text in missing:
            open_ones.setdefault(text.context, {})[text.source] = ""
        if arguments.missing:
            arguments.missing.write_text(json.dumps(open_ones, indent=0, ensure_ascii=False), "utf-8")
        elif open_ones:
            print(json.dumps(open_ones, indent=1, ensure_ascii=False))
        count += len(missing)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
