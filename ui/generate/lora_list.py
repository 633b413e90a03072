"""The LoRAs of the form: added from a file or from those used before, switched off without being lost, taken out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QVBoxLayout, QWidget

from engine.models.installed import InstalledModel
from engine.models.lora_shelf import LoraState
from engine.protocol.errors import LaternaError
from engine.protocol.recipe import Adapter
from ui.draft import SwitchedOff
from ui.generate.lora_row import LoraRow
from ui.loras import Loras
from ui.messages import of_error
from ui.theme import Theme
from ui.widgets.labels import ErrorLabel
from ui.widgets.numbers import FIELD_HEIGHT

MOST_OFFERED = 15
Entry = tuple[Adapter, bool]


class LoraList(QWidget):
    """Signals: ``edited`` after the person changed something, ``problem_found`` when one that is on cannot be used,
    ``sight_wanted(QWidget)`` for a row that the form should scroll to."""

    edited = Signal()
    sight_wanted = Signal(QWidget)
    problem_found = Signal()

    def __init__(self, loras: Loras, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loras = loras
        self._theme = theme
        self._model: InstalledModel | None = None
        self._asked = 0
        self.rows: list[LoraRow] = []
        self.add_button = QPushButton(self.tr("Add…"))
        self.add_button.setFixedHeight(FIELD_HEIGHT)
        self.add_button.setAccessibleName(self.tr("Add a LoRA"))
        self.add_button.setToolTip(
            self.tr("A LoRA is a small file that teaches a model a style, a person or a thing. It can be dropped here.")
        )
        self.refused = ErrorLabel()
        menu = QMenu(self)
        menu.aboutToShow.connect(self._fill)
        menu.aboutToShow.connect(loras.load)  # files come into the folder at any time
        loras.changed.connect(self._refill)
        self.add_button.setMenu(menu)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 4, 0, 4)
        self._column.setSpacing(6)
        self._column.addWidget(self.add_button)
        self._column.addWidget(self.refused)
        self.setFocusProxy(self.add_button)

    # --- the draft's

    def show_loras(
        self, adapters: tuple[Adapter, ...], off: tuple[SwitchedOff, ...], model: InstalledModel | None
    ) -> None:
        """Without ``edited``: those that are on, and those switched off at their places among them."""
        entries: list[Entry] = [(adapter, True) for adapter in adapters]
        for one in off:
            entries.insert(one.place, (one.adapter, False))
        is_same = [_file(adapter) for adapter, _ in entries] == [_file(row.adapter()) for row in self.rows]
        known, self._model = self._model, model
        self._show(entries)
        if not is_same or model is not known:
            self.refused.set_sentence("")  # about what stood here before
            self._judge()

    def adapters(self) -> tuple[Adapter, ...]:
        """Those that are on."""
        return tuple(row.adapter() for row in self.rows if row.is_on())

    def switched_off(self) -> tuple[SwitchedOff, ...]:
        return tuple(SwitchedOff(place, row.adapter()) for place, row in enumerate(self.rows) if not row.is_on())

    def summary(self) -> str:
        count = len(self.adapters())
        if not count:
            return ""
        return self.tr("one LoRA") if count == 1 else self.tr("{count} LoRAs").format(count=count)

    # --- what the person does

    def add_file(self, path: Path) -> None:
        """As if the person had chosen ``path``."""
        self.refused.set_sentence("")
        self._loras.add(path, 1.0, self._added, self._refuse)

    def _added(self, adapter: Adapter) -> None:
        """One that is there already is not added twice."""
        for row in self.rows:
            if _file(row.adapter()) == _file(adapter):
                row.switch.setChecked(True)
                row.strength.setFocus()
                return
        self._show([*self._entries(), (adapter, True)])
        self._judge()
        self.edited.emit()
        self.rows[-1].strength.setFocus()
        self.sight_wanted.emit(self.rows[-1])

    def _refuse(self, error: LaternaError) -> None:
        self.refused.set_sentence(of_error(error.info()).text)

    def _remove(self, row: LoraRow) -> None:
        self.refused.set_sentence("")
        self._show([(one.adapter(), one.is_on()) for one in self.rows if one is not row])
        self.edited.emit()
        self.add_button.setFocus()

    def _find(self, row: LoraRow) -> None:
        """Another file in its place, with its strengths."""

        def found(path: Path) -> None:
            before = row.adapter()
            self._loras.add(path, before.strength, lambda adapter: self._replace(row, before, adapter), self._refuse)

        self._ask(found)

    def _replace(self, row: LoraRow, before: Adapter, adapter: Adapter) -> None:
        if row not in self.rows:
            return
        adapter = Adapter(adapter.name, adapter.sha256, adapter.strength, before.text_strength)
        self._show([(adapter if one is row else one.adapter(), one.is_on() or one is row) for one in self.rows])
        self._judge()
        self.edited.emit()

    # --- inner

    def _entries(self) -> list[Entry]:
        return [(row.adapter(), row.is_on()) for row in self.rows]

    def _show(self, entries: list[Entry]) -> None:
        names = [adapter.name for adapter, _ in entries]
        if names != [row.adapter().name for row in self.rows]:
            for row in self.rows:
                self._column.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.rows = [self._make_row(adapter, is_on) for adapter, is_on in entries]
        for row, (adapter, is_on) in zip(self.rows, entries, strict=True):
            row.show_adapter(adapter, is_on)

    def _make_row(self, adapter: Adapter, is_on: bool) -> LoraRow:
        row = LoraRow(adapter, is_on, theme=self._theme)
        row.edited.connect(self.edited)
        row.remove_wanted.connect(lambda: self._remove(row))
        row.find_wanted.connect(lambda: self._find(row))
        self._column.insertWidget(self._column.indexOf(self.add_button), row)
        return row

    def _judge(self) -> None:
        self._asked += 1
        asked, rows, model = self._asked, list(self.rows), self._model

        def judged(states: list[LoraState]) -> None:
            if asked != self._asked or rows != self.rows:
                return
            for row, state in zip(rows, states, strict=True):
                row.show_state(state, model.info.name if model is not None else "")
            bad = [row for row, state in zip(rows, states, strict=True) if state.problem and row.is_on()]
            if bad:
                self.problem_found.emit()
                self.sight_wanted.emit(bad[0])

        if rows:
            self._loras.judge([row.adapter() for row in rows], model, judged)

    def _refill(self) -> None:
        if self.add_button.menu().isVisible():
            self._fill()

    def _fill(self) -> None:
        menu = self.add_button.menu()
        menu.clear()
        taken = {row.adapter().name for row in self.rows}
        family = self._model.info.family if self._model is not None else ""
        fitting = [one for one in self._loras.known if one.name not in taken and one.facts.family in ("", family)]
        for one in fitting[:MOST_OFFERED]:
            action = menu.addAction(one.name.removesuffix(".safetensors").replace("&", "&&"))
            action.setToolTip(one.path)
            action.triggered.connect(lambda _checked=False, path=Path(one.path): self.add_file(path))
        if fitting:
            menu.addSeparator()
        menu.addAction(self.tr("Choose a file…"), lambda: self._ask(self.add_file))
        menu.addAction(self.tr("Open the folder of LoRAs"), self._open_folder)

    def _open_folder(self) -> None:
        """Made now: what is put there is offered from then on."""
        self._loras.folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._loras.folder)))

    def _ask(self, done: Callable[[Path], None]) -> None:
        folder = self._loras.folder if self._loras.folder.is_dir() else Path.home()
        dialog = QFileDialog(self, self.tr("Choose a LoRA"), str(folder))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(self.tr("LoRAs (*.safetensors)"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: done(Path(name)))
        dialog.open()


def _file(adapter: Adapter) -> tuple[str, str]:
    return adapter.name, adapter.sha256
