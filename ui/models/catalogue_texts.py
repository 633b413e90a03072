"""What the catalogue says of models and licences, in the person's language; the engine has it in English."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

T = QT_TRANSLATE_NOOP
TEXTS = (
    T("Catalogue", "8 billion parameters, the finest."),
    T("Catalogue", "about 1 megapixel"),
    T("Catalogue", "Large in four steps: fast."),
    T("Catalogue", "2.5 billion parameters."),
    T("Catalogue", "0.25 to 2 megapixels"),
    T("Catalogue", "The small one."),
    T("Catalogue", "6 s at 8 frames a second"),
    T("Catalogue", "Finer than 2B."),
    T("Catalogue", "Larger and longer."),
    T("Catalogue", "5 or 10 s at 16 frames a second"),
    T("Catalogue", "Moves a picture."),
    T("Catalogue", "Moves a picture, larger and longer."),
    T("Catalogue", "Free below US$ 1 million of yearly revenue."),
    T(
        "Catalogue",
        "Free for research, for non-commercial use, and for commercial use by people and organisations "
        "with less than US$ 1 million of yearly revenue. Above that a licence from Stability AI is "
        "needed.",
    ),
    T("Catalogue", "What you make with the model is yours."),
    T("Catalogue", "Stability AI's acceptable use policy applies."),
    T("Catalogue", "The model's page asks you to accept the licence there too, with your account."),
    T("Catalogue", "Free for any use."),
    T("Catalogue", "Free for any use, commercial use included. Passed-on copies keep the licence and its notices."),
    T("Catalogue", "Free for research; commercial use needs registration."),
    T("Catalogue", "Free for academic research."),
    T("Catalogue", "Commercial use needs a registration with Zhipu AI, and ends at one million visits a month."),
    T("Catalogue", "8 billion parameters, about one megapixel."),
    T("Catalogue", "Large, distilled: four steps, no guidance."),
    T("Catalogue", "2.5 billion parameters, 0.25 to 2 megapixels."),
    T("Catalogue", "Six seconds at 720 × 480."),
    T("Catalogue", "Six seconds at 720 × 480, finer than 2B."),
    T("Catalogue", "Moves a picture: six seconds at 720 × 480."),
    T("Catalogue", "Five or ten seconds at 1360 × 768."),
    T("Catalogue", "Moves a picture: five or ten seconds at up to 1360 × 768."),
    T(
        "Catalogue",
        "As Laterna Mini Image, 4 steps without guidance: 73 things (red apple, owl, rocket, house, …) "
        "in a fraction of a second.",
    ),
    T(
        "Catalogue",
        "Draws 73 things (red apple, owl, rocket, house, …) where you say, on 24 backgrounds, in seconds "
        "on any computer.",
    ),
    T(
        "Catalogue",
        "Moves one of 32 things (red apple, owl, rocket, house, …) left, right, up or down, in short clips.",
    ),
    T("Catalogue", "What imported files lack: tokenizers, text encoders, the VAE."),
)


def told(text: str) -> str:
    """``text`` of the catalogue translated; any other as it is."""
    return QCoreApplication.translate("Catalogue", text) if text else ""
