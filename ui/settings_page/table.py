"""The settings as data: a new one is a row here and a field in ``app.settings.Settings``, nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QT_TRANSLATE_NOOP

Kind = Literal["switch", "choice", "number", "folder", "file_name"]
T = QT_TRANSLATE_NOOP
LOOKS = T("Settings", "Looks")
WRITING = T("Settings", "Writing prompts")
MAKING = T("Settings", "Making")
FILES = T("Settings", "Files")
GROUPS = (LOOKS, WRITING, MAKING, FILES)
RESTART = T("Settings", "From the next start on.")


@dataclass(frozen=True)
class SettingRow:
    """``field`` of the preferences. ``note`` says what it does and what it costs. ``choices`` are values and texts, of
    a number its least, largest and step. ``folder`` and ``file_name`` are empty for Laterna's own choice."""

    field: str
    group: str
    text: str
    note: str
    kind: Kind
    choices: tuple[tuple[object, str], ...] = ()
    numbers: tuple[float, float, float] = (0.0, 1.0, 0.1)
    suffix: str = ""
    at_next_start: bool = False


SETTINGS: tuple[SettingRow, ...] = (
    SettingRow(
        "theme",
        LOOKS,
        T("Settings", "Colours"),
        T("Settings", "Dark, light, or as the system says."),
        "choice",
        (
            ("system", T("Settings", "As the system")),
            ("dark", T("Settings", "Dark")),
            ("light", T("Settings", "Light")),
        ),
    ),
    SettingRow(
        "language",
        LOOKS,
        T("Settings", "Language"),
        T("Settings", "Of the window; prompts can be in any."),
        "choice",
        (("", T("Settings", "As the system")), ("en", "English"), ("pt_BR", "Português do Brasil")),
        at_next_start=True,
    ),
    SettingRow(
        "notify",
        LOOKS,
        T("Settings", "Tell when a long job has ended"),
        T("Settings", "A notification of the system, for jobs over ten seconds, while the window is not in front."),
        "switch",
    ),
    SettingRow(
        "suggestions",
        WRITING,
        T("Settings", "Complete words while typing"),
        T(
            "Settings",
            "From the model's words, your wildcards and your earlier prompts; Tab takes one.",
        ),
        "switch",
    ),
    SettingRow(
        "previews",
        MAKING,
        T("Settings", "Show the picture while it forms"),
        T("Settings", "Every preview costs a little of the time that making takes."),
        "switch",
    ),
    SettingRow(
        "preview_interval",
        MAKING,
        T("Settings", "Time between two previews"),
        T("Settings", "Shorter is smoother; longer leaves more to the making."),
        "number",
        numbers=(0.05, 5.0, 0.05),
        suffix=T("Settings", " s"),
    ),
    SettingRow(
        "wait_after_start",
        MAKING,
        T("Settings", "After a start, wait with what is left in the queue"),
        T("Settings", "Without it the queue goes on by itself as soon as the engine is ready."),
        "switch",
        at_next_start=True,
    ),
    SettingRow(
        "keep_free",
        MAKING,
        T("Settings", "Memory to leave to other programs"),
        T(
            "Settings",
            "Beyond a small reserve: of the graphics card, or else of the computer. Large models may get slower.",
        ),
        "number",
        numbers=(0.0, 64.0, 0.5),
        suffix=T("Settings", " GiB"),
    ),
    SettingRow(
        "compile_models",
        MAKING,
        T("Settings", "Compile models"),
        T(
            "Settings",
            "Compiled models take less time a step, and a minute or more once. Pixels may differ in the last bits."
            " Needs a C++ compiler.",
        ),
        "choice",
        (
            ("never", T("Settings", "Never")),
            ("auto", T("Settings", "When it pays")),
            ("always", T("Settings", "Always")),
        ),
    ),
    SettingRow(
        "keep_encodings",
        MAKING,
        T("Settings", "Keep encoded prompts on the disk"),
        T(
            "Settings",
            "A prompt that was used before needs no text encoder then. At most half a gigabyte, readable by you alone."
            " Without it, what is kept is deleted when the next job begins.",
        ),
        "switch",
    ),
    SettingRow(
        "output_folder",
        FILES,
        T("Settings", "Folder for new files"),
        T("Settings", "Pictures and clips that are made from now on; those that are there stay where they are."),
        "folder",
    ),
    SettingRow(
        "file_name",
        FILES,
        T("Settings", "Names of new files"),
        T("Settings", "Words in braces stand for what made the file. A name that is taken gets a number."),
        "file_name",
    ),
    SettingRow(
        "a1111_parameters",
        FILES,
        T("Settings", "Write A1111's parameters into PNGs too"),
        T(
            "Settings",
            "Other programs and sites can then read the settings. It makes files a little larger.",
        ),
        "switch",
    ),
)
