"""One picture or clip that a generation is given: dropped on its field or chosen, with its strength."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QToolButton, QWidget

from engine.media.pictures import ENDINGS
from engine.protocol.inputs import Input, InputRule, Role
from ui.drops import only_file
from ui.widgets.numbers import FIELD_HEIGHT, FloatSpin
from ui.widgets.style import set_state

USUAL_STRENGTH = 0.6
PADDING = 12


class InputField(QWidget):
    """Of one ``role``.

    Signals: ``edited`` after the person chose, removed or changed something; ``paint_wanted`` to paint the mask.
    """

    edited = Signal()
    paint_wanted = Signal()

    def __init__(self, role: Role, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role: Role = role
        self._input: Input | None = None
        self._has_strength = True
        self.choose = QPushButton()
        self.choose.setFixedHeight(FIELD_HEIGHT)
        self.choose.setMinimumWidth(60)  # a long name must not widen the form
        self.strength = FloatSpin(self.tr("Denoise strength: how much of the picture is drawn anew"), 0.0, 1.0, 0.05)
        self.strength.setToolTip(self.strength.accessibleName())
        self.strength.setFixedWidth(72)
        self.remove = QToolButton()
        self.remove.setText("×")
        self.remove.setAutoRaise(True)
        without = self.tr("Without a mask") if role == "mask" else self.tr("Start without a picture")
        self.remove.setAccessibleName(without)
        self.remove.setToolTip(self.remove.accessibleName())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.choose, 1)
        self.paint = QToolButton(self)  # from the start: shown without a parent it would be a window of its own
        self.paint.setText(self.tr("Paint…"))
        self.paint.setAutoRaise(True)
        self.paint.setAccessibleName(self.tr("Paint the mask"))
        self.paint.setVisible(role == "mask")
        self.paint.clicked.connect(self.paint_wanted)
        row.addWidget(self.paint)
        row.addWidget(self.strength)
        row.addWidget(self.remove)
        self.setFocusProxy(self.choose)
        self.setAcceptDrops(True)
        self.choose.clicked.connect(self._ask)
        self.remove.clicked.connect(lambda: self._take(None))
        self.strength.valueChanged.connect(self._strength_changed)
        self.set_input(None)

    def set_rule(self, rule: InputRule) -> None:
        """A clip begins with the very picture; a picture is drawn anew as much as a strength says."""
        self._has_strength = rule.has_strength
        self.strength.setVisible(rule.has_strength and self._input is not None)

    def set_input(self, input: Input | None) -> None:
        """Without ``edited``."""
        self._input = input
        name = self._name()
        said = self.tr("Mask: {name}") if self._role == "mask" else self.tr("Picture to start from: {name}")
        self.choose.setAccessibleName(said.format(name=name) if input or self._role == "mask" else name)
        self.choose.setToolTip(input.path if input else "")
        self.strength.blockSignals(True)
        self.strength.set_exact(input.strength if input else USUAL_STRENGTH)
        self.strength.blockSignals(False)
        self.strength.setVisible(input is not None and self._has_strength)
        self.remove.setVisible(input is not None)
        self._elide()

    def input(self) -> Input | None:
        return self._input

    def start_from(self, path: Path) -> None:
        """As if the person had chosen ``path``; the strength stays."""
        self._take(Input(self._role, str(path), strength=self.strength.exact() if self._has_strength else 1.0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _picture(event.mimeData()) is not None:
            set_state(self.choose, "over", True)
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dragLeaveEvent(self, _event: object) -> None:
        set_state(self.choose, "over", False)

    def dropEvent(self, event: QDropEvent) -> None:
        set_state(self.choose, "over", False)
        path = _picture(event.mimeData())
        if path is not None:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.start_from(path)

    def _name(self) -> str:
        if self._input is not None:
            return self._input.name
        if self._role == "mask":
            return self.tr("White where it is made anew")
        return self.tr("Drop or choose a picture")

    def _elide(self) -> None:
        self.layout().activate()
        room = self.choose.width() - 2 * PADDING
        text = self.choose.fontMetrics().elidedText(self._name(), Qt.TextElideMode.ElideMiddle, room)
        self.choose.setText(text.replace("&", "&&"))

    def _ask(self) -> None:
        folder = str(Path(self._input.path).parent) if self._input else ""
        dialog = QFileDialog(self, self.tr("Start from a picture"), folder)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(self.tr("Pictures ({endings})").format(endings=" ".join(f"*{end}" for end in ENDINGS)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.start_from(Path(name)))
        dialog.open()

    def _take(self, input: Input | None) -> None:
        self.set_input(input)
        self.edited.emit()

    def _strength_changed(self) -> None:
        if self._input is not None:
            self._input = self._input.replace(strength=self.strength.exact())
            self.edited.emit()


def _picture(data: QMimeData) -> Path | None:
    """The one picture file that is dragged; None for anything else, which the window takes."""
    file = only_file(data)
    return file if file is not None and file.suffix.lower() in ENDINGS else None
