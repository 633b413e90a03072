"""The actions as data: name, text, keys, icon, and where they stand in menus and in the sheet of shortcuts."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP


@dataclass(frozen=True)
class Row:
    """``soft`` keys work only where nothing that has the focus uses them (Space presses a button first).

    A key that is held down acts once, or again and again where it ``repeats``.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    group: str = ""
    soft: bool = False
    needs_item: bool = False
    repeats: bool = False


T = QT_TRANSLATE_NOOP
MAKE = T("Actions", "Make")
ITEM = T("Actions", "Picture or clip")
RATING = T("Actions", "Rating")
VIEW = T("Actions", "View")
LATERNA = T("Actions", "Laterna")

RATINGS = (
    T("Actions", "No rating"),
    T("Actions", "One star"),
    T("Actions", "Two stars"),
    T("Actions", "Three stars"),
    T("Actions", "Four stars"),
    T("Actions", "Five stars"),
)

ROWS: tuple[Row, ...] = (
    Row("generate", T("Actions", "Generate"), ("Ctrl+Return", "Ctrl+Enter"), "sparkle", MAKE),
    Row("cancel", T("Actions", "Cancel the running job"), ("Escape",), "x", MAKE, soft=True),
    Row("vary", T("Actions", "Variations…"), ("Ctrl+Shift+Return", "Ctrl+Shift+Enter"), "grid", MAKE),
    Row("vary_texts", T("Actions", "Every combination of the prompt's alternatives…"), (), "", MAKE),
    Row("pause_queue", T("Actions", "Pause the queue"), ("Ctrl+Shift+P",), "pause", MAKE),
    Row("clear_queue", T("Actions", "Take out everything that waits"), ("Ctrl+Shift+Escape",), "", MAKE),
    Row("randomise_seed", T("Actions", "Draw another seed"), ("Ctrl+R",), "dice", MAKE),
    Row("make_clips", T("Actions", "Make clips"), ("Ctrl+1",), "video", MAKE),
    Row("make_images", T("Actions", "Make images"), ("Ctrl+2",), "image", MAKE),
    Row("focus_prompt", T("Actions", "Go to the prompt"), ("Ctrl+L",), "", MAKE),
    Row("prompt_history", T("Actions", "Your prompts…"), ("Ctrl+H",), "history", MAKE),
    Row("edit_styles", T("Actions", "Styles…"), (), "", MAKE),
    Row("open_wildcards", T("Actions", "Open the folder of wildcards"), (), "", MAKE),
    Row("reset_field", T("Actions", "The model's own value for this field"), ("Alt+Home",), "reset", MAKE),
    Row("open_file", T("Actions", "Reuse the recipe of a file…"), ("Ctrl+O",), "folder", MAKE),
    Row("use_recipe", T("Actions", "Use this recipe"), ("Ctrl+U",), "refresh", ITEM, needs_item=True),
    Row("use_seed", T("Actions", "Use only its seed"), ("Ctrl+Shift+U",), "dice", ITEM, needs_item=True),
    Row("start_from_item", T("Actions", "Start from this picture"), ("Ctrl+I",), "image", ITEM, needs_item=True),
    Row("change_part", T("Actions", "Change a part…"), ("Ctrl+Shift+D",), "sparkle", ITEM, needs_item=True),
    Row("make_smoother", T("Actions", "Make smoother…"), ("Ctrl+Shift+M",), "video", ITEM, needs_item=True),
    Row("make_larger", T("Actions", "Make larger…"), ("Ctrl+Shift+L",), "fit", ITEM, needs_item=True),
    Row("toggle_favourite", T("Actions", "Add to favourites"), ("Ctrl+D",), "star", ITEM, needs_item=True),
    Row("edit_tags", T("Actions", "Tags…"), ("Ctrl+G",), "", ITEM),
    Row("edit_albums", T("Actions", "Albums…"), ("Ctrl+B",), "", ITEM),
    *(Row(f"rate_{n}", text, (str(n),), "", RATING, soft=True) for n, text in enumerate(RATINGS)),
    Row("copy", T("Actions", "Copy"), ("Ctrl+Shift+C",), "copy", ITEM, needs_item=True),
    Row("copy_prompt", T("Actions", "Copy the prompt"), (), "", ITEM, needs_item=True),
    Row("export_frame", T("Actions", "Save the frame shown…"), ("Ctrl+E",), "camera", ITEM, needs_item=True),
    Row(
        "export_clip",
        T("Actions", "Export a part as GIF, WebP or MP4…"),
        ("Ctrl+Shift+E",),
        "video",
        ITEM,
        needs_item=True,
    ),
    Row("export_copy", T("Actions", "Save a copy…"), ("Ctrl+S",), "download", ITEM, needs_item=True),
    Row("show_in_folder", T("Actions", "Show in its folder"), ("Ctrl+Shift+F",), "folder", ITEM, needs_item=True),
    Row("delete", T("Actions", "Move to the trash"), ("Delete",), "trash", ITEM, soft=True, needs_item=True),
    Row("put_back", T("Actions", "Put back from the trash"), ("Ctrl+Shift+Z",), "undo", ITEM, needs_item=True),
    Row("undo", T("Actions", "Undo"), ("Ctrl+Z",), "undo", ITEM),
    Row("compare", T("Actions", "Compare"), ("Ctrl+K",), "compare", VIEW),
    Row("toggle_recipe", T("Actions", "Show or hide the recipe"), ("Ctrl+Shift+I",), "recipe", VIEW),
    Row("zoom_in", T("Actions", "Zoom in"), ("Ctrl++", "Ctrl+="), "", VIEW, needs_item=True, repeats=True),
    Row("zoom_out", T("Actions", "Zoom out"), ("Ctrl+-",), "", VIEW, needs_item=True, repeats=True),
    Row("zoom_fit", T("Actions", "Fit into the view"), ("Ctrl+0",), "fit", VIEW, needs_item=True),
    Row("zoom_full", T("Actions", "One pixel for one"), ("Ctrl+Alt+0",), "", VIEW, needs_item=True),
    Row("play_pause", T("Actions", "Play or pause"), ("Space",), "play", VIEW, soft=True, needs_item=True),
    Row("mark_in", T("Actions", "Begin the part here"), ("I",), "mark-in", VIEW, soft=True, needs_item=True),
    Row("mark_out", T("Actions", "End the part here"), ("O",), "mark-out", VIEW, soft=True, needs_item=True),
    Row("mark_none", T("Actions", "Play all of it again"), ("Shift+X",), "", VIEW, soft=True, needs_item=True),
    Row("next_item", T("Actions", "Next in the gallery"), ("Alt+Right",), "chevron-right", VIEW, repeats=True),
    Row("previous_item", T("Actions", "Previous in the gallery"), ("Alt+Left",), "", VIEW, repeats=True),
    Row("focus_search", T("Actions", "Search"), ("Ctrl+F",), "search", VIEW),
    Row("toggle_queue", T("Actions", "Show or hide the queue"), ("Ctrl+J",), "queue", VIEW),
    Row("toggle_advanced", T("Actions", "Advanced settings"), ("Ctrl+Shift+A",), "settings", VIEW),
    Row("toggle_theme", T("Actions", "Dark or light"), ("Ctrl+T",), "moon", VIEW),
    Row("follow_system_theme", T("Actions", "Dark or light as the system"), (), "", VIEW),
    Row("show_models", T("Actions", "Models…"), ("Ctrl+M",), "download", LATERNA),
    Row("show_settings", T("Actions", "Settings…"), ("Ctrl+,",), "settings", LATERNA),
    Row("choose_output_folder", T("Actions", "Folder for new files…"), (), "folder", LATERNA),
    Row("open_output_folder", T("Actions", "Open the folder of new files"), (), "", LATERNA),
    Row("toggle_previews", T("Actions", "Show the picture while it forms"), (), "", LATERNA),
    Row("toggle_a1111", T("Actions", "Put Automatic1111's settings into PNGs too"), (), "", LATERNA),
    Row("toggle_wait_after_start", T("Actions", "After a start, wait with what is left in the queue"), (), "", LATERNA),
    Row("restart_engine", T("Actions", "Restart the engine"), (), "refresh", LATERNA),
    Row("show_menu", T("Actions", "Menu"), ("F10",), "menu", LATERNA),
    Row("show_shortcuts", T("Actions", "Keyboard shortcuts"), ("F1",), "keyboard", LATERNA),
    Row("examine", T("Actions", "Examine this machine…"), (), "search", LATERNA),
    Row("save_report", T("Actions", "Save a report…"), (), "warning", LATERNA),
    Row("show_about", T("Actions", "About Laterna"), (), "info", LATERNA),
    Row("quit", T("Actions", "Quit"), ("Ctrl+Q",), "", LATERNA),
)
GROUPS = (MAKE, ITEM, RATING, VIEW, LATERNA)
