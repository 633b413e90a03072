"""Over what was deleted: where it is, and what takes it back."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ui.widgets.labels import label


class DeletedBar(QFrame):
    """Signals: ``put_back_wanted()`` of what is chosen, ``forget_wanted()`` of what the trash was emptied of."""

    put_back_wanted = Signal()
    forget_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        text = label(
            self.tr("These files are in the system's trash until that is emptied. Their recipes stay here."), "muted"
        )
        text.setWordWrap(True)
        self.put_back = QPushButton(self.tr("Put back"))
        self.put_back.setToolTip(self.tr("What is chosen goes back to where it was"))
        self.forget = QPushButton(self.tr("Clear what is gone"))
        self.forget.setToolTip(self.tr("Takes off the list what is not in the trash any more, its recipe too"))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.put_back)
        buttons.addWidget(self.forget)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 4, 14, 6)
        column.setSpacing(6)
        column.addWidget(text)
        column.addLayout(buttons)
        self.put_back.clicked.connect(self.put_back_wanted)
        self.forget.clicked.connect(self.forget_wanted)
        self.set_chosen(0)
        self.hide()

    def set_chosen(self, count: int) -> None:
        self.put_back.setEnabled(count > 0)
        self.put_back.setText(self.tr("Put back") if count < 2 else self.tr("Put back {count}").format(count=count))
