"""Files that come from outside into the form: their recipe, or the picture itself to start from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal
from PySide6.QtGui import QImage

from engine.media import pictures
from engine.protocol.errors import BadFile, LaternaError
from engine.protocol.inputs import STARTING, Input
from engine.protocol.recipe import Recipe
from ui.actions import Actions, Undone
from ui.background import Background
from ui.generate.input_field import USUAL_STRENGTH
from ui.messages import Message, of_error
from ui.session import Session

if TYPE_CHECKING:
    from engine.interop.report import ImportResult

TOPIC = "action"
MOST_FILES = 500


class RecipeFiles(QObject):
    """``read`` gives what made a file and is called on a thread; frames of clips are kept in ``inputs``.

    Signals:

    ``said(Message)``
    ``imported(ImportResult, str)`` what became of another program's file of that name, now in the form
    ``import_undone`` the last of them is out of the form again
    ``start_picture_set`` the form starts from another picture
    """

    said = Signal(object)
    imported = Signal(object, str)
    import_undone = Signal()
    start_picture_set = Signal()

    def __init__(
        self, actions: Actions, session: Session, read: Callable[[Path], ImportResult], inputs: Path, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._session = session
        self._read = read
        self._inputs = inputs
        self._background = Background(parent=self)
        self._import: Undone | None = None
        actions.undone.connect(self._undone)
        actions.file_wanted.connect(self.read_file)

    def close(self) -> None:
        self._background.close()

    def read_file(self, path: Path) -> None:
        """Restore the recipe that a file carries; offer a picture that has none as one to start from."""

        def work() -> ImportResult | LaternaError:
            try:
                return self._read(path)
            except BadFile as error:
                if not _is_picture(path):
                    raise
                return error

        def done(found: ImportResult | LaternaError) -> None:
            if isinstance(found, LaternaError):
                self._offer(path, found)
            else:
                self._restore(path, found)

        self._background.run(work, done, self._failed)

    def read_files(self, paths: Sequence[Path]) -> None:
        """The recipe of the first that has one, into the form; all of them can go to the queue from the message."""
        if len(paths) == 1:
            self.read_file(paths[0])
            return

        def work() -> list[tuple[Path, ImportResult]]:
            found = []
            for path in paths[:MOST_FILES]:
                with suppress(LaternaError):
                    result = self._read(path)
                    if result.recipe is not None:
                        found.append((path, result))
            return found

        self._background.run(work, lambda found: self._several(len(paths), found), self._failed)

    def _several(self, dropped: int, found: list[tuple[Path, ImportResult]]) -> None:
        if not found:
            text = self.tr("None of these {count} files carries a recipe.").format(count=dropped)
            self.said.emit(Message(text, "warning", seconds=0.0, topic=TOPIC))
            return
        path, first = found[0]
        self._restore(path, first)
        if len(found) == 1:
            return
        recipes = [result.recipe for _path, result in found if result.recipe is not None]
        text = self.tr("The recipe of {file} is in the form; {count} of {all} files carry one.").format(
            file=path.name, count=len(found), all=dropped
        )
        queue_all = self.tr("Make all {count} again").format(count=len(found))
        action = partial(self._actions.submit_recipes, recipes)
        self.said.emit(Message(text, "info", button=queue_all, action=action, seconds=0.0, topic=TOPIC))

    def _restore(self, path: Path, found: ImportResult) -> None:
        if found.recipe is None:
            return
        self._import = self._actions.restore(found.recipe, path.name)
        self.imported.emit(found, path.name)

    def _undone(self, what: object) -> None:
        if what is self._import:
            self._import = None
            self.import_undone.emit()

    def _offer(self, path: Path, error: LaternaError) -> None:
        text = self.tr("{problem} It can be the picture that the next one starts from.").format(problem=error.message)
        self.said.emit(
            Message(
                text,
                "info",
                button=self.tr("Start from it"),
                action=lambda: self.start_from(path),
                seconds=0.0,
                topic=TOPIC,
            )
        )

    # --- a picture to start from

    def start_from(self, path: Path) -> None:
        """The picture in ``path`` becomes what the next one starts from; of clips, the form goes over to pictures."""
        self._background.run(lambda: _found(path), self._set_start, self._failed)

    def start_from_shown(self, frame: tuple[QImage, str] | None) -> None:
        """From the picture that is looked at; of a clip from ``frame``, with a name for its file."""
        item = self._session.item
        if item is None:
            return
        if item.kind == "image":
            self.start_from(item.file)
        elif frame is not None:
            self.start_from_frame(*frame, item.recipe)

    def start_from_frame(self, image: QImage, name: str, recipe: Recipe | None) -> None:
        """A frame of a clip, kept as a PNG of its own: the clip alone would not say which frame it was."""

        def work() -> Path:
            from ui.player.export import save_frame

            return save_frame(image, self._inputs / name, recipe, new=True)

        self._background.run(work, self._set_start, self._failed)

    def _set_start(self, path: Path) -> None:
        actions, session = self._actions, self._session
        back = actions.keep_draft()
        if not takes_pictures(session):
            session.set_kind("image")
        if not takes_pictures(session):
            back()
            text = self.tr("No model on this machine starts from a picture.")
            self.said.emit(Message(text, "warning", seconds=0.0, topic=TOPIC))
            return
        before = session.draft.recipe.input_of(*STARTING)
        rule = session.model.starting_rule if session.model is not None else None
        role = rule.role if rule is not None else "start"
        if role == "first_frame":
            strength, text = 1.0, self.tr("The next clip begins with {file}.")
        else:
            strength = before.strength if before is not None else USUAL_STRENGTH
            text = self.tr("The next picture starts from {file}. How much of it is drawn anew is under Advanced.")
        given = session.draft.recipe.with_input(*STARTING, input=Input(role, str(path), strength=strength))
        session.replace(session.draft.replace(recipe=given))
        self.start_picture_set.emit()
        actions.offer_undo(text.format(file=path.name), self.tr("the picture to start from"), back)

    def _failed(self, error: LaternaError) -> None:
        self.said.emit(of_error(error.info(), TOPIC))


def takes_pictures(session: Session) -> bool:
    """Whether the model in the form can start from a picture."""
    return session.model is not None and session.model.starting_rule is not None


def _is_picture(path: Path) -> bool:
    with suppress(BadFile):
        pictures.size_of(path)
        return True
    return False


def _found(path: Path) -> Path:
    """``path``, if it is a picture that can be read. Raises ``BadFile``."""
    if not _is_picture(path):
        raise BadFile(
            QCoreApplication.translate("RecipeFiles", "{0} is no picture that can be read.").format(path.name),
            QCoreApplication.translate("RecipeFiles", "Choose another one."),
        )
    return path
