"""A second program's window: prints the files dropped on it, one JSON line for each drop."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel


class Target(QLabel):
    def __init__(self) -> None:
        super().__init__("drop here")
        self.setWindowTitle("drop target")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAcceptDrops(True)
        self.resize(300, 300)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls()]
        event.acceptProposedAction()
        dropped = [{"name": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()} for file in files]
        print(json.dumps({"files": dropped, "action": event.dropAction().name}), flush=True)


if __name__ == "__main__":
    application = QApplication(sys.argv)
    target = Target()
    target.show()
    sys.exit(application.exec())
