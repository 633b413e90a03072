"""Has a changed setting take effect in the window, at once where that is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ui.main_window import MainWindow


def apply_setting(window: MainWindow, field: str, value: object) -> None:
    """Set ``field`` of the preferences and tell whoever shows or uses it. Jobs read theirs when they begin."""
    setattr(window.preferences, field, value)
    if field == "theme":
        window.theme.set_mode(value)  # type: ignore[arg-type]
    elif field == "previews":
        window.feed.show_previews = bool(value)
    elif field == "suggestions":
        window.form.prompts.completion.enabled = bool(value)
    window.actions_.refresh()
    window.save_soon()
