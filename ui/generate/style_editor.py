"""Where a person writes styles of their own, or changes those that ship (which a removal brings back)."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.prompt.styles import PLACE, Style
from ui.generate.style_menu import style_name
from ui.prompt_tools import PromptTools
from ui.widgets.labels import label
from ui.widgets.placing import place_over

SIZE = (720, 480)


class StyleEditor(QDialog):
    def __init__(self, tools: PromptTools, current: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tools = tools
        self._current = current
        self._shown = Style("", "")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Styles"))
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Styles"))
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Name"))
        self.prompt = QPlainTextEdit()
        self.prompt.setAccessibleName(self.tr("Words around the prompt"))
        self.negative = QPlainTextEdit()
        self.negative.setAccessibleName(self.tr("Words behind the negative prompt"))
        for edit in (self.prompt, self.negative):
            edit.setTabChangesFocus(True)
        self.new = QPushButton(self.tr("New"))
        self.remove = QPushButton(self.tr("Remove"))
        self.save = QPushButton(self.tr("Save"))
        self.save.setDefault(True)
        self._lay_out()
        self.list.currentRowChanged.connect(self._show_row)
        self.new.clicked.connect(self._begin_new)
        self.remove.clicked.connect(self._remove)
        self.save.clicked.connect(self._save)
        for part in (self.name, self.prompt, self.negative):
            part.textChanged.connect(self._tell)
        tools.changed.connect(self._fill)
        self._fill()
        place_over(self, SIZE)

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.addWidget(self.list, 1)
        left.addWidget(self.new)
        right = QVBoxLayout()
        hint = self.tr("{place} stands for your prompt. {{a|b}} and __wildcards__ work here too.").format(place=PLACE)
        for text, part in (
            (self.tr("Name"), self.name),
            (self.tr("Words around the prompt"), self.prompt),
            (self.tr("Words behind the negative prompt"), self.negative),
        ):
            title = label(text, "muted")
            title.setBuddy(part)
            right.addWidget(title)
            right.addWidget(part)
        note = label(hint, "muted")
        note.setWordWrap(True)
        right.addWidget(note)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.remove, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addLayout(left, 2)
        row.addSpacing(8)
        row.addLayout(right, 5)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.addLayout(row, 1)
        column.addWidget(buttons)

    def _fill(self) -> None:
        """The list anew; the same style stays chosen."""
        styles = self._tools.styles
        self.list.blockSignals(True)
        self.list.clear()
        self.list.addItems([style_name(style) for style in styles])
        ids = [style.id for style in styles]
        row = ids.index(self._current) if self._current in ids else 0
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)
        self._show_row(row)

    def _show_row(self, row: int) -> None:
        if 0 <= row < len(self._tools.styles):
            style = self._tools.styles[row]
            self._current = style.id
            self._show(msgspec.structs.replace(style, name=style_name(style)))

    def _show(self, style: Style) -> None:
        self._shown = style
        self.name.setText(style.name)
        self.prompt.setPlainText(style.prompt)
        self.negative.setPlainText(style.negative)
        self._tell()

    def _begin_new(self) -> None:
        self._current = ""
        self.list.setCurrentRow(-1)
        self._show(Style("", f"{PLACE}, "))
        self.name.setFocus()

    def _tell(self) -> None:
        changed = self._typed() != (self._shown.name, self._shown.prompt, self._shown.negative)
        self.save.setEnabled(changed and bool(self.name.text().strip()))
        self.remove.setEnabled(self._shown.own)

    def _typed(self) -> tuple[str, str, str]:
        return self.name.text().strip(), self.prompt.toPlainText(), self.negative.toPlainText()

    def _save(self) -> None:
        name, prompt, negative = self._typed()

        def saved(style: Style) -> None:
            self._current = style.id

        self._tools.save(Style(name, prompt, negative, id=self._current), saved)

    def _remove(self) -> None:
        self._tools.remove(self._current)
