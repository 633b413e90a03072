"""Colours, fonts and icons of the window."""

from ui.theme.theme import Mode, Theme
from ui.theme.tokens import DARK, LIGHT, Tokens

__all__ = ["DARK", "LIGHT", "Mode", "Theme", "Tokens"]
