"""``ForecastNote``: what the next job needs, above the button, and the smallest change that would fit."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from engine.memory.forecast import Forecast
from engine.memory.plan import EIGHT_BITS_DIFFER
from engine.memory.remedies import Remedy
from ui.formats import about, number
from ui.widgets.labels import ElidedLabel
from ui.widgets.style import set_state


class ForecastNote(QWidget):
    """Signals: ``remedy_wanted(Remedy)`` when the person takes the change that would fit."""

    remedy_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._remedy: Remedy | None = None
        self.text = ElidedLabel("", "muted")
        self.button = QPushButton()
        self.button.setAccessibleName(self.tr("Take what would fit"))
        self.button.setProperty("role", "quiet")
        self.button.clicked.connect(self._take)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.text)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self.show_forecast(None)

    def show_forecast(self, forecast: Forecast | None, is_loaded: bool = False) -> None:
        """``is_loaded``: the model is in memory already, so that loading costs nothing more."""
        self.setVisible(forecast is not None)
        self._remedy = forecast.remedy if forecast is not None else None
        if forecast is None:
            self.text.set_text("")
            self.button.hide()
            return
        self.text.set_text(self._sentence(forecast, is_loaded))
        set_state(self.text, "level", forecast.level.replace(" ", "-"))
        words = self._change(self._remedy) if self._remedy is not None else ""
        self.button.setText(words)
        self.button.setAccessibleName(words)
        self.button.setVisible(bool(words))
        self.setToolTip(self._explain(forecast))

    def _sentence(self, forecast: Forecast, is_loaded: bool) -> str:
        needed, limit = number(forecast.needed / 1e9, 1), number(forecast.limit / 1e9, 1)
        time = about(forecast.seconds + (0.0 if is_loaded else forecast.loading))
        if forecast.level == "too much":
            return self.tr("needs {needed} GB, {limit} are free").format(needed=needed, limit=limit)
        return self.tr("needs {needed} of {limit} GB · about {time}").format(needed=needed, limit=limit, time=time)

    def _change(self, remedy: Remedy) -> str:
        if remedy.kind == "none":
            return ""
        words = self._words(remedy)
        if remedy.also is not None:
            words = self.tr("{one} and {other}").format(one=words, other=self._words(remedy.also))
        return self.tr("Take {change}: it would fit").format(change=words)

    def _words(self, remedy: Remedy) -> str:
        return {
            "batch": self.tr("a batch of {count}").format(count=remedy.batch),
            "frames": self.tr("{count} frames").format(count=remedy.frames),
            "size": f"{remedy.width} × {remedy.height}",
            "no_t5": self.tr("no T5 encoder"),
            "weights": self.tr("8-bit weights"),
            "none": "",
        }[remedy.kind]

    def _explain(self, forecast: Forecast) -> str:
        if forecast.level == "too much":
            return self.tr("It will probably run out of memory. Generate tries it anyway.")
        lines = []
        plan = forecast.plan
        if plan is not None:
            lines.append(
                {
                    "resident": self.tr("The whole model stays in memory."),
                    "stage by stage": self.tr("Parts of the model take turns in memory."),
                    "block streaming": self.tr("The model comes to the card block by block."),
                    "disk streaming": self.tr("The model is read from the disk block by block, which is slow."),
                }[plan.strategy]
            )
            if "seams" in plan.changes:
                lines.append(self.tr("The picture is decoded in tiles: their seams are blended."))
            if "weights" in plan.changes:
                lines.append(
                    self.tr("Its weights are kept in 8 bits: pixels differ by about {value} of 255 on average.").format(
                        value=number(EIGHT_BITS_DIFFER, 1)
                    )
                )
        if forecast.left_out:
            lines.append(
                self.tr("About {count} steps are left out: the result differs slightly.").format(
                    count=forecast.left_out
                )
            )
        if not forecast.learned:
            lines.append(self.tr("The time is a first guess; it learns from each run."))
        return "\n".join(lines)

    def _take(self) -> None:
        if self._remedy is not None:
            self.remedy_wanted.emit(self._remedy)
