"""What each field of the form does, for somebody who meets the word for the first time: shown over its name."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

T = QT_TRANSLATE_NOOP
# By the first of the recipe's fields that a row shows.
_TEXTS = {
    "model": T("FieldHelp", "What draws the picture or clip. Ctrl+M shows more of them."),
    "width": T("FieldHelp", "In pixels. Sizes that the model was made for come out best; larger ones take longer."),
    "upscaling": T("FieldHelp", "Makes each result larger once it is there, by a network that redraws its edges."),
    "frames": T("FieldHelp", "How many single pictures the clip has, and how many are shown in a second."),
    "steps": T("FieldHelp", "How often the picture is worked over. More steps give more detail and take longer."),
    "guidance": T("FieldHelp", "How strictly the prompt is followed. Too little is vague, too much looks burnt."),
    "seed": T(
        "FieldHelp",
        "The number that everything begins from by chance: the same number and settings give the same picture.",
    ),
    "batch": T("FieldHelp", "How many to make, each with a seed of its own."),
    "inputs": T("FieldHelp", "A picture to draw over, in place of beginning with noise."),
    "inpainting": T("FieldHelp", "How the masked part is made anew. What is outside of the mask stays as it is."),
    "adapters": T("FieldHelp", "Small files that teach the model a style, a person or a thing."),
    "sampler": T(
        "FieldHelp", "The method by which noise becomes a picture. They differ in speed and a little in their look."
    ),
    "scheduler": T("FieldHelp", "How the noise goes down over the steps: early on shapes are found, later details."),
    "shift": T("FieldHelp", "Higher values spend more of the steps on the large shapes, lower ones on details."),
    "step_caching": T("FieldHelp", "Leaves out work at steps where little changes: faster, and slightly different."),
    "weights": T("FieldHelp", "How exactly the model's numbers are kept. Smaller ones need less memory."),
    "negative_range": T("FieldHelp", "During which part of the steps the negative prompt holds."),
    "text_encoding": T("FieldHelp", "Whether (words:1.2) in a prompt weigh more, as in ComfyUI, or are plain text."),
    "max_sequence_length": T("FieldHelp", "How much of a long prompt the largest text encoder reads."),
}


def help_for(fields: tuple[str, ...]) -> str:
    """The sentence about a row that shows ``fields``; "" where there is none."""
    text = _TEXTS.get(fields[0], "") if fields else ""
    return QCoreApplication.translate("FieldHelp", text) if text else ""
