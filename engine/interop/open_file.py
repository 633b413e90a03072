"""Any file that may hold a recipe of another program: a workflow, a picture with one, a text of settings."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.files import open_regular
from engine.interop import a1111, embedded, foreign_json, other_tools
from engine.interop.comfy_import import import_workflow, is_workflow
from engine.interop.fit import fit
from engine.interop.model_files import KnownModels
from engine.interop.report import ImportResult, Notes
from engine.models.catalog import FAMILIES
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.family_info import FamilyInfo
from engine.protocol.recipe import Recipe

LATERNA = "Laterna"
_RECIPE_KEY = "laterna.recipe"


class Importer:
    """Reads files by strangers against the models of this machine and the rules of the families."""

    def __init__(self, known: KnownModels | None = None, families: Mapping[str, FamilyInfo] | None = None) -> None:
        self._known = known or KnownModels()
        self._families = families or FAMILIES

    def open(self, path: Path) -> ImportResult:
        """The recipe in a JSON workflow, in a PNG's, WebP's or JPEG's metadata, or in a text of A1111's settings.

        Raises ``BadFile`` with a sentence for what has none, and the errors of a file that cannot be read.
        """
        path = Path(path)
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise BadFile(f"{path.name} is no file.", "Choose a workflow or a picture.")
            with open_regular(path) as file:
                start = file.read(16)
                if not embedded.is_picture(start):
                    size = os.fstat(file.fileno()).st_size
                    if size > foreign_json.MAX_BYTES:
                        raise BadFile(
                            f"{path.name} has {size / 1e6:.0f} MB, more than any workflow.",
                            "Choose a workflow, or a picture that has one.",
                        )
                    return self.text((start + file.read(foreign_json.MAX_BYTES)).decode("utf-8-sig", "replace"))
        except OSError as error:
            raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
        return self.texts(embedded.read_texts(path))

    def text(self, text: str) -> ImportResult:
        """A workflow as JSON, or a text of settings, as it may be pasted too."""
        if not text.lstrip().startswith(("{", "[")):
            if a1111.looks_like(text):
                return self._settings(text)
            raise BadFile("This is neither a workflow nor a text of settings.", "Choose a workflow or a picture.")
        data = foreign_json.loads(text)
        found = self._json(data)
        if found is None:
            raise BadFile("This JSON is no workflow that Laterna knows.", "Choose a workflow that ComfyUI saved.")
        return found

    def texts(self, texts: Mapping[str, str]) -> ImportResult:
        """The texts of a picture by keyword: Laterna's own recipe first, then what ran, then what the editor held."""
        if _RECIPE_KEY in texts:
            return ImportResult(LATERNA, Recipe.from_json(texts[_RECIPE_KEY]), ("The recipe is Laterna's own.",))
        problem: BadFile | None = None
        for key in ("prompt", "workflow", "invokeai_metadata", "sd-metadata", "parameters", "UserComment", "Comment"):
            text = texts.get(key, "").strip()
            try:
                if text.startswith("{"):
                    found = self._json(foreign_json.loads(text))
                    if found is not None:
                        return found
                elif text and (key == a1111.KEY or a1111.looks_like(text)):
                    return self._settings(text)
            except BadFile as error:
                problem = error
        raise problem or BadFile(
            "This picture carries no recipe of any program that Laterna knows.",
            "Some sites take it out; choose the file as it was saved.",
        )

    def _json(self, data: Any) -> ImportResult | None:
        if is_workflow(data):
            return import_workflow(data, self._known, self._families)
        notes = Notes()
        for program, knows, read in (
            ("InvokeAI", other_tools.is_invokeai, other_tools.read_invokeai),
            ("Fooocus", other_tools.is_fooocus, other_tools.read_fooocus),
        ):
            if knows(data):
                return self._fitted(program, read(data, notes, self._known), notes)
        if isinstance(data, dict) and "family" in data and "model" in data:
            try:
                return ImportResult(LATERNA, Recipe.from_json(json.dumps(data)), ("The recipe is Laterna's own.",))
            except BadRecipe as error:
                raise BadFile(error.message, error.remedy) from error
        return None

    def _settings(self, text: str) -> ImportResult:
        notes = Notes()
        program, recipe = a1111.read(text, notes, self._known)
        return self._fitted(program, recipe, notes)

    def _fitted(self, program: str, recipe: Recipe, notes: Notes) -> ImportResult:
        return notes.result(program, fit(recipe, self._families[recipe.family], notes))
