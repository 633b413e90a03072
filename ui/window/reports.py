"""Reports of what went wrong: made when something crashed or when a person asks, looked at, and saved. Never sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from engine.jobs.notices import EngineStateChanged
from engine.logs.report import Circumstances, prompts_of
from engine.protocol.errors import LaternaError, from_os_error
from engine.protocol.recipe import Recipe
from ui.background import Background
from ui.engine_link import EngineLink
from ui.messages import Message
from ui.session import Session
from ui.widgets.labels import label
from ui.widgets.placing import place_over

TOPIC = "report"


class ReportSource(Protocol):
    """``app.logs.Logs``."""

    def report_of_last_crash(self, known: Circumstances) -> Path | None: ...
    def report_of_engine(self, what: str, known: Circumstances) -> Path | None: ...
    def compose(self, what: str, known: Circumstances, *, prompt: str = "", note: str = "") -> str: ...


class Reports(QObject):
    """Watches the engine, and shows reports.

    ``answers`` are the actions of ``ui.action_table`` that it carries out, by name.

    Signals: ``said(Message)``; ``failed(LaternaError)`` a report could not be made.
    """

    said = Signal(object)
    failed = Signal(object)

    def __init__(self, session: Session, source: ReportSource, background: Background, parent: QWidget) -> None:
        """``source`` is called on threads of ``background``; the dialog opens over ``parent``."""
        super().__init__(parent)
        self._session = session
        self._source = source
        self._background = background
        self._over = parent
        self._recipe: Recipe | None = None
        self._what = ""
        session.queue_changed.connect(self._remember_job)
        self.answers: dict[str, Callable[[], object]] = {"save_report": self.show}

    def show(self) -> None:
        """The dialog, with what is known now."""
        what = self._what or self.tr("A report that was asked for; nothing crashed since Laterna was opened.")
        ReportDialog(lambda prompt, note: self._compose(what, prompt, note), self._can_add_prompt, self._over).open()

    @property
    def _can_add_prompt(self) -> bool:
        return self._recipe is not None and bool(self._recipe.prompt)

    def _compose(self, what: str, with_prompt: bool, note: str) -> str:
        prompt = self._recipe.prompt if with_prompt and self._recipe is not None else ""
        return self._source.compose(what, self._known(), prompt=prompt, note=note)

    def _known(self) -> Circumstances:
        session = self._session
        recipes = [draft.recipe for draft in session.drafts.values()] + [job.recipe for job in session.jobs]
        if self._recipe is not None:
            recipes.append(self._recipe)
        device = session.engine.device
        return Circumstances(
            device.name if device is not None else "", dict(session.engine.versions), self._recipe, prompts_of(recipes)
        )

    def look_for_crash(self) -> None:
        """Whether the last window ended unexpectedly; then it is told, with the report."""
        known = self._known()
        self._background.run(lambda: self._source.report_of_last_crash(known), self._last_crash_told, self.failed.emit)

    def _last_crash_told(self, report: Path | None) -> None:
        if report is None:
            return
        self._what = self.tr(
            "Laterna's window ended unexpectedly the last time: it crashed, was killed, or the power went."
        )
        text = self.tr("Laterna ended unexpectedly the last time. Everything that was saved and queued is here.")
        button = self.tr("Show report")
        self.said.emit(Message(text, "warning", "", button, self.show, seconds=0.0, topic=TOPIC))

    def watch(self, link: EngineLink) -> None:
        """Make a report of each time that the engine dies."""
        link.engine_state_changed.connect(self._engine_changed)

    def _engine_changed(self, state: EngineStateChanged) -> None:
        if state.error is None:
            return
        self._what = (
            f"{state.error.message}\n{state.error.detail.splitlines()[0] if state.error.detail else ''}".strip()
        )
        what, known = self._what, self._known()
        self._background.run(lambda: self._source.report_of_engine(what, known), lambda _path: None, self.failed.emit)

    def _remember_job(self) -> None:
        running = self._session.running
        if running is not None:
            self._recipe = running.recipe


class ReportDialog(QDialog):
    """``compose(with_prompt, note)`` makes the text; it is made anew with each change, so what is seen is what is
    saved."""

    def __init__(
        self, compose: Callable[[bool, str], str], can_add_prompt: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._compose = compose
        self.setWindowTitle(self.tr("Report"))
        text = self.tr("Nothing is sent anywhere. Look through it, add what you like, and save it where you want.")
        explained = label(text, "muted")
        explained.setWordWrap(True)
        self.note = QLineEdit(placeholderText=self.tr("What were you doing? (optional)"))
        self.note.setAccessibleName(self.tr("What were you doing?"))
        self.note.setMaxLength(2000)
        self.with_prompt = QCheckBox(self.tr("Add the prompt of the last job"))
        self.with_prompt.setEnabled(can_add_prompt)
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName(self.tr("Report"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        save = buttons.addButton(self.tr("Save…"), QDialogButtonBox.ButtonRole.ActionRole)
        copy = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        column = QVBoxLayout(self)
        for part in (explained, self.note, self.with_prompt, self.text, buttons):
            column.addWidget(part)
        self.note.textChanged.connect(self._refresh)
        self.with_prompt.toggled.connect(self._refresh)
        save.clicked.connect(self._ask_where)
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self.text.toPlainText()))
        buttons.rejected.connect(self.reject)
        self.finished.connect(self.deleteLater)
        place_over(self, (720, 560))
        self._refresh()

    def save(self, path: Path) -> None:
        """Write what is seen. Raises ``NotWritable`` or ``NoSpace``."""
        try:
            path.write_text(self.text.toPlainText(), "utf-8")
        except OSError as error:
            raise from_os_error(error, "saving the report", path) from error

    def _refresh(self) -> None:
        self.text.setPlainText(self._compose(self.with_prompt.isChecked(), self.note.text()))

    def _ask_where(self) -> None:
        name = f"laterna-report-{time.strftime('%Y-%m-%d')}.txt"
        dialog = QFileDialog(self, self.tr("Save the report"), str(Path.home() / name))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("txt")
        dialog.fileSelected.connect(self._save_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _save_chosen(self, name: str) -> None:
        try:
            self.save(Path(name))
        except LaternaError as error:
            self.setWindowTitle(str(error))
        else:
            self.accept()
