"""Any file that may hold a recipe of another program: a workflow, a picture with one, a text of settings."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from engine.files import open_regular
from engine.interop import a1111, clip_texts, embedded, foreign, foreign_json, stealth
from engine.interop.comfy_import import import_workflow, is_workflow
from engine.interop.comfy_pictures import Size
from engine.interop.fit import fit
from engine.interop.model_files import KnownModels
from engine.interop.programs import readers
from engine.interop.report import ImportResult, Notes
from engine.media import pictures
from engine.models.catalog import FAMILIES
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.family_info import FamilyInfo
from engine.protocol.recipe import Recipe
from engine.texts import cleaned, text_of

LATERNA = "Laterna"
MAX_LINES = 200_000  # characters of a text of settings
_RECIPE_KEY = "laterna.recipe"
_FIRST = ("prompt", "workflow", "invokeai_metadata", "sd-metadata", "parameters", "usercomment", "comment")


class NoRecipe(BadFile):
    """The file is sound, and no program wrote into it how it was made."""


class Importer:
    """Reads files by strangers against the models of this machine and the rules of the families."""

    def __init__(self, known: KnownModels | None = None, families: Mapping[str, FamilyInfo] | None = None) -> None:
        self._known = known or KnownModels()
        self._families = families or FAMILIES

    def open(self, path: Path) -> ImportResult:
        """The recipe in a JSON workflow, in the metadata of a picture (PNG, WebP, JPEG) or clip (MP4, WebM), hidden in
        a picture's pixels, or in a text of settings.

        Raises ``BadFile`` with a sentence for what has none, and the errors of a file that cannot be read.
        """
        path = Path(path)
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise BadFile(f"{path.name} is no file.", "Choose a workflow or a picture.")
            with open_regular(path) as file:
                start = file.read(32)
                if not pictures.is_picture(start) and not clip_texts.is_clip(start):
                    size = os.fstat(file.fileno()).st_size
                    if size > foreign_json.MAX_BYTES:
                        raise BadFile(
                            f"{path.name} has {size / 1e6:.0f} MB, more than any workflow.",
                            "Choose a workflow, or a picture that has one.",
                        )
                    return self.text(text_of(start + file.read(foreign_json.MAX_BYTES)))
        except OSError as error:
            raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
        if clip_texts.is_clip(start):
            return self.texts(clip_texts.read_texts(path), "clip")
        try:
            return self.texts(embedded.read_texts(path), made=embedded.png_size(start))
        except NoRecipe:
            hidden = stealth.hidden_text(path)
            if not hidden:
                raise
            return self.text(hidden)

    def text(self, text: str) -> ImportResult:
        """A workflow as JSON, or a text of settings, as it may be pasted too."""
        text = text.strip("\ufeff\0 \r\n\t")
        if not text.startswith(("{", "[")):
            found = self._plain(text)
            if found is None:
                raise BadFile("This is neither a workflow nor a text of settings.", "Choose a workflow or a picture.")
            return found
        found = self._json(foreign_json.loads(text))
        if found is None:
            raise BadFile("This JSON is no workflow that Laterna knows.", "Choose a workflow that ComfyUI saved.")
        return found

    def texts(
        self, texts: Mapping[str, str], kind: Literal["picture", "clip"] = "picture", made: Size | None = None
    ) -> ImportResult:
        """The texts of a picture or clip by keyword: Laterna's own recipe first, then programs that write several, then
        of graphs what ran and what the editor held, then what any other program wrote. ``made`` is the picture's
        size."""
        texts = {key.strip().lower(): text for key, text in reversed(list(texts.items()))}
        if _RECIPE_KEY in texts:
            return ImportResult(LATERNA, Recipe.from_json(texts[_RECIPE_KEY]), ("The recipe is Laterna's own.",))
        program = readers.by_texts(texts)
        if program is not None:
            return self._of(program)
        problem: BadFile | None = None
        for key in (*_FIRST, *sorted(set(texts) - set(_FIRST))):
            text = texts.get(key, "").strip()
            try:
                if text.startswith("{"):
                    found = self._json(foreign_json.loads(text), made)
                elif key in ("prompt", "title"):
                    continue
                else:
                    found = self._plain(text) if text else None
                if found is not None:
                    return found
            except BadFile as error:
                problem = problem or error
        raise problem or NoRecipe(
            "This picture carries no recipe of any program that Laterna knows."
            if kind == "picture"
            else "This clip carries no recipe of any program that Laterna knows.",
            "Some sites take it out; choose the file as it was saved.",
        )

    def _plain(self, text: str) -> ImportResult | None:
        if a1111.looks_like(text):
            notes = Notes()
            program, recipe = a1111.read(text, notes, self._known)
            return self._fitted(program, recipe, notes)
        lines = readers.by_lines(cleaned(text[:MAX_LINES])) if "\n" in text else None
        return self._of(lines) if lines is not None else None

    def _json(self, data: Any, made: Size | None = None) -> ImportResult | None:
        program = readers.by_json(data)
        if program is not None:
            return self._of(program)
        if is_workflow(data):
            return import_workflow(data, self._known, self._families, made=made)
        if isinstance(data, dict) and "family" in data and "model" in data:
            try:
                return ImportResult(LATERNA, Recipe.from_json(json.dumps(data)), ("The recipe is Laterna's own.",))
            except BadRecipe as error:
                raise BadFile(error.message, error.remedy) from error
        return None

    def _of(self, program: readers.Found) -> ImportResult:
        notes = Notes()
        recipe = foreign.recipe_of(program.read(notes), notes, self._known)
        return self._fitted(program.program, recipe, notes)

    def _fitted(self, program: str, recipe: Recipe | None, notes: Notes) -> ImportResult:
        return notes.result(program, recipe and fit(recipe, self._families[recipe.family], notes))
