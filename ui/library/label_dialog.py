"""Tags or albums of what is chosen: a list with three states, and a field that completes and adds."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.library.item import Item
from engine.library.marks import MAX_NAME_CHARS, LabelKind, MarkChange

ROW_HEIGHT = 26
_State = Qt.CheckState


class LabelDialog(QDialog):
    """A tick is on all of the items, a half tick on some. Each change counts at once (undo takes it back).

    Signals: ``changed(MarkChange)``.
    """

    changed = Signal(object)

    def __init__(
        self, kind: LabelKind, names: Sequence[str], items: Sequence[Item], count: int, parent: QWidget | None = None
    ) -> None:
        """``names`` are all there are, ``items`` what is chosen (or the first of it), ``count`` how many."""
        super().__init__(parent)
        self._kind: LabelKind = kind
        self.setWindowTitle(self.tr("Tags") if kind == "tag" else self.tr("Albums"))
        title = self.tr("Of {0} pictures and clips").format(count) if count > 1 else self.tr("Of this one")
        self.field = QLineEdit()
        self.field.setPlaceholderText(
            self.tr("Add a tag") if kind == "tag" else self.tr("Add to an album, or make one")
        )
        self.field.setAccessibleName(self.field.placeholderText())
        self.field.setMaxLength(MAX_NAME_CHARS)
        self.list = QListWidget()
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
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        self.field.returnPressed.connect(self._typed)
        self.list.itemChanged.connect(self._ticked)
        self.finished.connect(self.deleteLater)
        column = QVBoxLayout(self)
        for part in (QLabel(title), self.field, self.list, buttons):
            column.addWidget(part)
        self.resize(320, 420)
        self.field.setFocus()

    def _add_row(self, name: str, state: Qt.CheckState) -> QListWidgetItem:
        row = QListWidgetItem(name)
        row.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
        row.setCheckState(state)
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

    def _ticked(self, row: QListWidgetItem) -> None:
        wanted = row.checkState() == _State.Checked
        self.changed.emit(_change(self._kind, row.text(), wanted))

    def _rows(self) -> list[QListWidgetItem]:
        return [self.list.item(number) for number in range(self.list.count())]


def _change(kind: LabelKind, name: str, wanted: bool) -> MarkChange:
    if kind == "tag":
        return MarkChange(add_tags=(name,)) if wanted else MarkChange(remove_tags=(name,))
    return MarkChange(add_albums=(name,)) if wanted else MarkChange(remove_albums=(name,))
