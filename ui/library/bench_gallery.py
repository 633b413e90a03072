"""How quick the gallery is with 100,000 items, beside Qt's own QListView in icon mode on the same model.

``NAMES`` maps a benchmark to a function that returns its figures, in milliseconds unless named otherwise. Runs without
a screen; frames are painted in software, so a screen's own time is not in it.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractItemView, QApplication

    from ui.library.gallery import GalleryPanel
    from ui.library.model import LibraryModel

ROWS = 100_000
SIZE = (341, 830)
SCROLL_FRAMES = 200
RESIZES = 12
LIST_ROWS = (1_000, 10_000, ROWS)


class _Times:
    """Wall time as a person feels it, and the GUI thread's own CPU time, which other programs do not disturb."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def measure(self, work: Callable[[], object]) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        work()
        self.wall.append((time.perf_counter() - wall) * 1000)
        self.cpu.append((time.thread_time() - cpu) * 1000)

    def figures(self, name: str) -> dict[str, float]:
        return {
            f"{name}_p50_ms": _quantile(self.wall, 0.5),
            f"{name}_p99_ms": _quantile(self.wall, 0.99),
            f"{name}_cpu_p50_ms": _quantile(self.cpu, 0.5),
            f"{name}_cpu_p99_ms": _quantile(self.cpu, 0.99),
        }


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)


def _app() -> QApplication:
    from PySide6.QtWidgets import QApplication

    if QApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    return app


def _measure_view(view: QAbstractItemView, app: QApplication, name: str) -> dict[str, float]:
    """First paint, scrolling and resizing of a view whose model is set but which was never shown."""

    def paint() -> None:
        view.viewport().repaint()
        app.processEvents()

    def begin() -> None:
        view.resize(*SIZE)
        view.show()
        paint()

    first, scrolls, jumps, resizes = _Times(), _Times(), _Times(), _Times()
    first.measure(begin)
    bar = view.verticalScrollBar()
    for frame in range(SCROLL_FRAMES):
        near, far = bar.value() + 40, bar.maximum() * frame // SCROLL_FRAMES
        scrolls.measure(lambda value=near: (bar.setValue(value), paint()))  # type: ignore[misc]
        if frame % 10 == 0:
            jumps.measure(lambda value=far: (bar.setValue(value), paint()))  # type: ignore[misc]
    for step in range(RESIZES):
        width = SIZE[0] + (step % 6) * 90
        resizes.measure(lambda width=width: (view.resize(width, SIZE[1]), paint()))  # type: ignore[misc]
    view.hide()
    return {
        f"{name}_first_paint_ms": round(first.wall[0], 1),
        **scrolls.figures(f"{name}_scroll"),
        **jumps.figures(f"{name}_jump"),
        **resizes.figures(f"{name}_resize"),
    }


def gallery(rows: int = ROWS) -> dict[str, Any]:
    """The grid over a real library with ``rows`` rows, a search in it, and QListView on the same model."""
    from engine.library.bench_library import file_rows
    from engine.library.library import Library
    from ui.library.gallery import GalleryPanel
    from ui.library.grid import GridView
    from ui.theme import Theme

    app = _app()
    theme = Theme("dark")
    theme.apply(app)
    with tempfile.TemporaryDirectory(prefix="laterna-bench-") as folder:
        found = Library(Path(folder) / "library.sqlite3", Path(folder) / "output")
        found.insert(file_rows(rows))
        panel = GalleryPanel(found, _NoThumbnails(), theme=theme)
        try:
            while panel.grid.model().rowCount() < rows:
                app.processEvents()
            figures: dict[str, Any] = {"rows": rows}
            view = GridView(theme=theme)
            view.setItemDelegate(panel.grid.itemDelegate())
            view.setModel(_model(panel, rows))
            figures |= _measure_view(view, app, "grid")
            figures |= _measure_search(panel, app)
            for count in (count for count in LIST_ROWS if count <= rows):
                figures |= _measure_view(_list_view(panel, count), app, f"list_view_{count}")
        finally:
            panel.close_down()
            found.close()
    return figures


def _measure_search(panel: GalleryPanel, app: QApplication) -> dict[str, float]:
    """From the end of the debounce to the painted result, and the part of it on the GUI thread."""
    whole, blocking = [], _Times()
    show = panel._show_ids
    answered = []

    def timed(query: object, ids: object) -> None:
        blocking.measure(lambda: (show(query, ids), panel.grid.viewport().repaint()))  # type: ignore[arg-type]
        answered.append(query)

    panel._runner.found.disconnect()
    panel._runner.found.connect(timed)
    for text in ("r", "re", "red", "red apple", "", "nothing like it", ""):
        panel.search.blockSignals(True)
        panel.search.setText(text)
        panel.search.blockSignals(False)
        answered.clear()
        began = time.perf_counter()
        panel._ask()
        while not answered:
            app.processEvents()
        whole.append((time.perf_counter() - began) * 1000)
    return {
        "search_median_ms": round(statistics.median(whole), 2),
        "search_worst_ms": round(max(whole), 2),
        "search_gui_thread_worst_ms": round(max(blocking.wall), 2),
        "search_gui_thread_cpu_worst_ms": round(max(blocking.cpu), 2),
    }


def _model(panel: GalleryPanel, count: int) -> LibraryModel:
    """The first ``count`` rows of the panel's library, nothing of them read yet."""
    from ui.library.model import LibraryModel

    shown = panel.grid.model()
    assert isinstance(shown, LibraryModel)
    model = LibraryModel(shown.source, panel)
    model.set_ids(shown.ids[:count])
    return model


def _list_view(panel: GalleryPanel, count: int) -> QAbstractItemView:
    """QListView in icon mode with uniform sizes on a fixed grid, its best case."""
    from PySide6.QtCore import QSize
    from PySide6.QtWidgets import QListView

    view = QListView()
    view.setViewMode(QListView.ViewMode.IconMode)
    view.setResizeMode(QListView.ResizeMode.Adjust)
    view.setUniformItemSizes(True)
    view.setGridSize(QSize(154, 132))
    view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
    view.setItemDelegate(panel.grid.itemDelegate())
    view.setModel(_model(panel, count))
    return view


class _NoThumbnails:
    def get(self, item: object, side: int) -> None:
        return None


NAMES: dict[str, Callable[[], dict[str, Any]]] = {"gallery": gallery}
