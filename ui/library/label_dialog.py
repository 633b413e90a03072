"""Tags or albums: on what is chosen by ticks with three states, and all of them to rename, put together and let go."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.library.item import Item
from engine.library.marks import MAX_NAME_CHARS, LabelKind, label_change

ROW_HEIGHT = 26
_State = Qt.CheckState
_NAME = Qt.ItemDataRole.UserRole


class _Names(QListWidget):
    delete_pressed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)


class LabelDialog(QDialog):
    """A tick is on all of the items, a half tick on some; without items there are none, only names. Each change counts
    at once (undo takes it back).

    Signals: ``changed(MarkChange)`` of the items, ``renamed(str, str)`` a name and its new one everywhere,
    ``removed(str)`` a name everywhere.
    """

    changed = Signal(object)
    renamed = Signal(str, str)
    removed = Signal(str)

    def __init__(
        self, kind: LabelKind, names: Sequence[str], items: Sequence[Item], count: int, parent: QWidget | None = None
    ) -> None:
        """``names`` are all there are, ``items`` what is chosen (or the first of it), ``count`` how many."""
        super().__init__(parent)
        self._kind: LabelKind = kind
        self._marks = count > 0
        self.setWindowTitle(self.tr("Tags") if kind == "tag" else self.tr("Albums"))
        title = self.tr("Of {0} pictures and clips").format(count) if count > 1 else self.tr("Of this one")
        if not self._marks:
            title = self.tr("All that there are")
        self.field = QLineEdit()
        self.field.setVisible(self._marks)
        self.field.setPlaceholderText(
            self.tr("Add a tag") if kind == "tag" else self.tr("Add to an album, or make one")
        )
        self.field.setAccessibleName(self.field.placeholderText())
        self.field.setMaxLength(MAX_NAME_CHARS)
        self.list = _Names()
        self.list.setAccessibleName(self.windowTitle())
        used = [item.tags if kind == "tag" else item.albums for item in items]
        every = sorted({*names, *(name for some in used for name in some)}, key=str.casefold)
        for name in every:
            having = sum(name in some for some in used)
            self._add_row(
                name,
                _State.Unchecked if not having else _State.Checked if having == len(used) else _State.PartiallyChecked,
            )
        completer = QCompleter(every, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.field.setCompleter(completer)
        self.rename = QPushButton(self.tr("Rename…"))
        self.rename.setToolTip(self.tr("A name that is there already puts the two together (F2)"))
        self.remove = QPushButton(self.tr("Remove"))
        self.remove.setToolTip(self.tr("From everything that has it; nothing is deleted (Delete)"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        for button in (self.rename, self.remove):
            button.setAutoDefault(False)
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        self.field.returnPressed.connect(self._typed)
        self.list.itemChanged.connect(self._row_changed)
        self.list.currentRowChanged.connect(self._dress)
        self.rename.clicked.connect(self._begin_rename)
        self.remove.clicked.connect(self._remove)
        self.list.delete_pressed.connect(self._remove)
        self.finished.connect(self.deleteLater)
        column = QVBoxLayout(self)
        for part in (QLabel(title), self.field, self.list, buttons):
            column.addWidget(part)
        self.resize(340, 440)
        (self.field if self._marks else self.list).setFocus()
        self._dress()

    def _add_row(self, name: str, state: Qt.CheckState) -> QListWidgetItem:
        row = QListWidgetItem(name)
        row.setData(_NAME, name)
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable
        if self._marks:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
            row.setCheckState(state)
        row.setFlags(flags)
        row.setSizeHint(QSize(0, ROW_HEIGHT))
        self.list.addItem(row)
        return row

    def _typed(self) -> None:
        """Enter adds each name that is typed, separated by commas."""
        for part in self.field.text().split(","):
            name = " ".join(part.split())
            if not name:
                continue
            row = next((row for row in self._rows() if row.text().casefold() == name.casefold()), None)
            if row is None:
                self.list.blockSignals(True)
                row = self._add_row(name, _State.Unchecked)
                self.list.blockSignals(False)
            row.setCheckState(_State.Checked)
            self.list.scrollToItem(row)
        self.field.clear()

    def _row_changed(self, row: QListWidgetItem) -> None:
        """Its tick, or its name."""
        before, now = row.data(_NAME), " ".join(row.text().split())
        if row.text() == before:
            wanted = row.checkState() == _State.Checked
            names = (before,)
            change = label_change(self._kind, add=names) if wanted else label_change(self._kind, remove=names)
            self.changed.emit(change)
        elif now == before or not now:
            self._set_name(row, before)
        else:
            self._renamed(row, before, now[:MAX_NAME_CHARS])

    def _renamed(self, row: QListWidgetItem, before: str, now: str) -> None:
        same = next((one for one in self._rows() if one is not row and one.text().casefold() == now.casefold()), None)
        if same is None:
            self._set_name(row, now)
        else:  # the two are one from now on, with the ticks of both
            with QSignalBlocker(self.list):
                if self._marks and row.checkState() != same.checkState():
                    ticked = _State.Checked in (row.checkState(), same.checkState())
                    same.setCheckState(_State.Checked if ticked else _State.PartiallyChecked)
                self.list.takeItem(self.list.row(row))
                self.list.setCurrentItem(same)
            now = same.text()
        self.renamed.emit(before, now)

    def _set_name(self, row: QListWidgetItem, name: str) -> None:
        with QSignalBlocker(self.list):
            row.setText(name)
            row.setData(_NAME, name)

    def _begin_rename(self) -> None:
        row = self.list.currentItem()
        if row is not None:
            self.list.setFocus()
            self.list.editItem(row)

    def _remove(self) -> None:
        row = self.list.currentItem()
        if row is not None:
            self.list.takeItem(self.list.row(row))
            self.removed.emit(row.data(_NAME))

    def _dress(self) -> None:
        for button in (self.rename, self.remove):
            button.setEnabled(self.list.currentItem() is not None)

    def _rows(self) -> list[QListWidgetItem]:
        return [self.list.item(number) for number in range(self.list.count())]
