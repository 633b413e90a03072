"""The one file that builds the program: the application object, the window's parts and services, and the way out."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QLibraryInfo,
    QLocale,
    Qt,
    QTimer,
    QtMsgType,
    QTranslator,
    qInstallMessageHandler,
)
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

import resources
from app.kept_encodings import encodings_folder
from app.logs import Logs
from app.paths import Paths
from app.settings import Settings, SettingsFile
from app.single_instance import SingleInstance
from engine.jobs.notices import Notice
from engine.models.installed import InstalledModel, find_installed
from engine.models.lora_shelf import LoraShelf
from engine.prompt.styles import StyleStore
from engine.prompt.wildcards import Wildcards
from engine.protocol.version import VERSION
from ui.garbage import GuiGarbage
from ui.loras import Loras
from ui.prompt_tools import PromptTools
from ui.theme import Theme
from ui.window.main_window import MainWindow

if TYPE_CHECKING:
    from pathlib import Path

    from engine.doctor.finding import Finding
    from engine.interop.report import ImportResult
    from engine.models.service import ModelService
    from ui.window.services import Services

SIGNAL_POLL_MS = 250
LOGS_TRIM_MS = 60_000


def make_application(argv: Sequence[str], language: str = "") -> QApplication:
    """The one ``QApplication``, with Laterna's name and the translations of ``language`` (empty: the system's)."""
    app = QApplication(list(argv) or ["laterna"])
    app.setApplicationName("laterna")
    app.setApplicationDisplayName("Laterna")
    app.setDesktopFileName("laterna")
    locale = QLocale(language) if language else QLocale.system()
    spoken = QLocale(QLocale.Language.English)  # numbers are written as in the language of the sentences around them
    folders = (str(resources.TRANSLATIONS), QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    for name, folder in zip(("laterna", "qtbase"), folders, strict=True):
        translator = QTranslator(app)
        if translator.load(locale, name, "_", folder):
            app.installTranslator(translator)
            if name == "laterna":
                spoken = locale
    QLocale.setDefault(spoken)
    return app


def make_window(
    paths: Paths,
    theme: Theme,
    settings: Settings,
    settings_file: SettingsFile,
    engine_command: list[str] | None = None,
    logs: Logs | None = None,
) -> MainWindow:
    """The window over the folders of ``paths``; ``engine_command`` replaces the engine's program in tests. Without
    ``logs`` it makes no reports."""

    def find_models() -> tuple[InstalledModel, ...]:
        return tuple(find_installed(paths.model_folders))

    loras = LoraShelf(paths.adapters)
    return MainWindow(
        theme=theme,
        preferences=settings,
        save_preferences=lambda: settings_file.save(settings),
        open_services=lambda: _open_services(paths, settings, engine_command, loras),
        find_models=find_models,
        output_folder=paths.output,
        frames_folder=paths.cache / "frames",
        read_recipe=lambda path: _read_recipe(path, paths),
        inputs_folder=paths.inputs,
        prompt_tools=PromptTools(StyleStore(resources.STYLES, paths.styles), Wildcards(paths.wildcards)),
        loras=Loras(loras),
        report_source=logs,
        examination=lambda network, begun: _examination(paths, network, begun),
        version=VERSION,
        notice=settings_file.notice,
    )


def _read_recipe(path: Path, paths: Paths) -> ImportResult:
    from app.known_models import known_models
    from engine.interop.recipe_file import read_recipe_file

    return read_recipe_file(path, known_models(paths))


def _examination(paths: Paths, network: bool, begun: Callable[[str, float], None]) -> Iterator[Finding]:
    from app.examination import examination

    return examination(paths, network, begun)


def _open_services(paths: Paths, settings: Settings, engine_command: list[str] | None, loras: LoraShelf) -> Services:
    from engine.jobs.dispatcher import JobSettings
    from engine.jobs.service import JobService
    from engine.library.library import Library
    from engine.library.thumbnails import ThumbnailCache
    from engine.memory.footprints import Footprints
    from engine.memory.forecast import Forecaster
    from engine.memory.history import History
    from engine.models.service import ModelService
    from engine.models.upscalers import Upscalers
    from ui.forecasts import ForecastSource
    from ui.window.services import Services

    paths.create()
    library = Library(paths.library_database, paths.output, mended=True)
    history = History(paths.runs)
    upscalers = Upscalers(paths.upscalers)

    def make_job_service(notify: Callable[[Notice], None]) -> JobService:
        return JobService(
            queue_database=paths.queue_database,
            library=library,
            settings=JobSettings(
                output_folder=paths.output,
                cache_folder=lambda: encodings_folder(paths, settings),
                adapter_folder=paths.adapters,
                footprints_folder=paths.footprints,
                previews_folder=paths.previews,
                known_media=paths.known_media,
                upscaler_folder=paths.upscalers,
                preview_interval=lambda: settings.preview_interval if settings.previews else -1.0,
                a1111_parameters=lambda: settings.a1111_parameters,
                keep_free=lambda: int(settings.keep_free * 2**30),
                compile=lambda: settings.compile_models,
                compile_folder=paths.compiled,
            ),
            engine_log=paths.engine_log,
            notify=notify,
            engine_command=engine_command,
            wait_after_start=settings.wait_after_start,
        )

    def make_model_service(notify: Callable[[object], None]) -> ModelService:
        return ModelService(paths.models, paths.config, notify, upscalers=paths.upscalers, loras=loras)

    return Services(
        library,
        ThumbnailCache(paths.thumbnails),
        make_job_service,
        make_model_service,
        library.close,
        ForecastSource(Forecaster(history, upscalers=upscalers), Footprints(paths.footprints), history),
        upscalers,
    )


def open_window(
    paths: Paths, argv: Sequence[str] = (), engine_command: list[str] | None = None, files: Sequence[str] = ()
) -> int:
    """Open the window and return the exit code once it is closed and every thread and process has ended.

    Where another window has this library open, that one is raised, and gets the recipes of ``files``.
    """
    instance = SingleInstance(paths.data)
    if not instance.claim():
        instance.hand_over(list(files))
        print("Laterna is open already: its window was brought to the front.", file=sys.stderr)
        return 0
    logs = Logs(paths.logs)
    logs.begin()
    try:
        return _run_window(paths, argv, engine_command, files, instance, logs)
    finally:
        qInstallMessageHandler(None)  # what Qt says while the interpreter is taken apart must not come to Python
        logs.end()
        instance.close()


def _run_window(
    paths: Paths,
    argv: Sequence[str],
    engine_command: list[str] | None,
    files: Sequence[str],
    instance: SingleInstance,
    logs: Logs,
) -> int:
    settings_file = SettingsFile(paths.settings_file)
    settings = settings_file.load()
    app = make_application(argv, settings.language)
    garbage = GuiGarbage()
    garbage.begin()
    theme = Theme(settings.theme)
    theme.apply(app)
    window = make_window(paths, theme, settings, settings_file, engine_command, logs)
    window.painted.connect(lambda: instance.listen(lambda names: raise_window(window, names)))
    window.ready.connect(lambda: open_files(window, files))
    keep_logs_small(app, logs)
    log_qt()
    app.aboutToQuit.connect(window.shut_down)
    quit_on_signals(app)
    window.ready.connect(garbage.start)
    window.painted.connect(lambda: app.setWindowIcon(QIcon(str(resources.THEME / "laterna.svg"))))
    _report_first_paint(app, window)
    window.show()
    code = app.exec()
    window.shut_down()
    garbage.stop()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return code


def _report_first_paint(app: QApplication, window: MainWindow) -> None:
    """For ``bench start``: print the seconds since ``LATERNA_BENCH_FIRST_PAINT`` (an epoch time) and quit."""
    began = os.environ.get("LATERNA_BENCH_FIRST_PAINT")
    if began:

        def report() -> None:
            print(f"first paint {time.time() - float(began):.3f}", flush=True)
            app.quit()

        window.painted.connect(report)


def raise_window(window: MainWindow, files: Sequence[str] = ()) -> None:
    """Bring the window to the front, from the task bar or another desktop, and put the files' recipes into its form."""
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
    open_files(window, files)


def open_files(window: MainWindow, files: Sequence[str]) -> None:
    for file in files:
        window.files.read_file(Path(file))


def keep_logs_small(app: QApplication, logs: Logs) -> None:
    timer = QTimer(app)
    timer.timeout.connect(logs.trim)
    timer.start(LOGS_TRIM_MS)


def log_qt() -> None:
    """What Qt says goes to the log too."""
    log = logging.getLogger("qt")
    levels = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }
    qInstallMessageHandler(lambda kind, _where, text: log.log(levels.get(kind, logging.ERROR), "%s", text))


def quit_on_signals(app: QApplication) -> None:
    """Ctrl-C and a polite kill close the window; Python handles signals only while it runs, hence the timer."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: app.quit())
    timer = QTimer(app)
    timer.timeout.connect(lambda: None)
    timer.start(SIGNAL_POLL_MS)
