"""The one menu of the window, from the table of actions."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu, QWidget

from ui.action_table import GROUPS, LATERNA, ROWS, Row
from ui.actions import Actions

ITEM_MENU = (
    "use_recipe",
    "use_seed",
    "start_from_item",
    "change_part",
    "make_larger",
    "make_smoother",
    "",
    "toggle_favourite",
    "edit_tags",
    "edit_albums",
    "copy",
    "copy_prompt",
    "compare",
    "export_copy",
    "show_in_folder",
)


def build_menu(actions: Actions, parent: QWidget) -> QMenu:
    """Groups as submenus, the last one's entries at the end of the menu itself."""
    menu = QMenu(parent)
    menu.setAccessibleName(QCoreApplication.translate("Menu", "Menu"))
    for group in GROUPS[:-1]:
        submenu = menu.addMenu(QCoreApplication.translate("Actions", group))
        for row in ROWS:
            if row.group == group:
                _add(submenu, actions, row)
    menu.addSeparator()
    for row in ROWS:
        if row.group == LATERNA and row.name != "show_menu":
            _add(menu, actions, row)
    return menu


def _add(menu: QMenu, actions: Actions, row: Row) -> None:
    menu.addAction(actions.action(row.name))
