"""The models page over the real service and a loopback hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from engine.models.fetch import FetchOptions
from engine.models.service import ModelService
from engine.models.token import Token
from engine.models.upscalers import DEFAULT
from tests.engine.models.test_imports import CLIP_G, CLIP_L, T5, VAE, mmdit, sparse, under
from tests.fakes.hub import TOKEN, FakeHub
from tests.fakes.hub_repositories import small_repository
from tests.fakes.upscalers import compact
from ui.models.dialogs import LeftOutDialog, LicenceDialog, RemoveDialog, TokenDialog
from ui.models.link import ModelLink
from ui.models.models_window import ModelsWindow
from ui.theme import Theme

GATED = "stabilityai/stable-diffusion-3.5-medium"
OPTIONS = FetchOptions(segment_bytes=1 << 20, first_wait=0.01, tries=3, look_seconds=0.2)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as running:
        running.add("zai-org/CogVideoX-2b", small_repository("zai-org/CogVideoX-2b", scale=2_000))
        running.add(GATED, small_repository(GATED), gated=True)
        yield running


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, hub: FakeHub, tmp_path: Path) -> Iterator[ModelsWindow]:
    def make(notify: Callable[[object], None]) -> ModelService:
        return ModelService(tmp_path / "models", tmp_path / "config", notify, hub.url, OPTIONS)

    link = ModelLink(make)
    link.start()
    made = ModelsWindow(link)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: len(made.cards) == 8)
    yield made
    link.stop()


def dialog(window: ModelsWindow, qtbot: QtBot, kind: type) -> QDialog:
    qtbot.waitUntil(lambda: any(child.isVisible() for child in window.findChildren(kind)))
    return next(child for child in window.findChildren(kind) if child.isVisible())


def press(window: ModelsWindow, model: str, action: str) -> None:
    button = window.cards[model].buttons[action]
    assert button.isVisibleTo(window), f"{action} is not offered"
    button.click()


def test_the_licence_is_shown_and_accepted_before_the_first_byte(
    window: ModelsWindow, qtbot: QtBot, hub: FakeHub
) -> None:
    card = window.cards["cogvideox-2b"]
    assert card.state.text() == "Not here"
    assert "13.3 GB" in card.needs.text()
    press(window, "cogvideox-2b", "download")
    question = dialog(window, qtbot, LicenceDialog)
    assert isinstance(question, LicenceDialog)
    assert not question.yes.isEnabled()
    assert not hub.asked
    question.tick.setChecked(True)
    question.yes.click()
    qtbot.waitUntil(lambda: card.state.text() == "Ready", timeout=30_000)
    assert not card.buttons["download"].isVisibleTo(window)


def test_pausing_and_going_on(window: ModelsWindow, qtbot: QtBot, hub: FakeHub) -> None:
    from engine.families.registry import LICENCES

    window._link.service.acceptances.accept(LICENCES["apache-2.0"])
    hub.bytes_per_second = 1e6
    press(window, "cogvideox-2b", "download")
    card = window.cards["cogvideox-2b"]
    qtbot.waitUntil(lambda: "a second" in card.progress.text() and card.bar.value() > 0, timeout=30_000)
    assert card.state.text() == "Downloading"
    press(window, "cogvideox-2b", "pause")
    qtbot.waitUntil(lambda: card.state.text().startswith("Paused at"), timeout=10_000)
    hub.bytes_per_second = 0
    press(window, "cogvideox-2b", "resume")
    qtbot.waitUntil(lambda: card.state.text() == "Ready", timeout=30_000)


def test_a_gated_model_asks_for_the_token(window: ModelsWindow, qtbot: QtBot) -> None:
    from engine.families.registry import LICENCES

    window._link.service.acceptances.accept(LICENCES["stability-community"])
    press(window, "sd3.5-medium", "download")
    question = dialog(window, qtbot, TokenDialog)
    assert isinstance(question, TokenDialog)
    card = window.cards["sd3.5-medium"]
    assert "signed in" in card.error.text()
    question.field.setText(TOKEN)
    question.yes.click()
    qtbot.waitUntil(lambda: window._link.service.tokens.find()[1] == "file")
    press(window, "sd3.5-medium", "download" if card.buttons["download"].isVisibleTo(window) else "resume")
    qtbot.waitUntil(lambda: card.state.text() == "Ready", timeout=30_000)


def test_removing_says_how_much_it_frees(window: ModelsWindow, qtbot: QtBot) -> None:
    from engine.families.registry import LICENCES

    window._link.service.acceptances.accept(LICENCES["apache-2.0"])
    card = window.cards["cogvideox-2b"]
    press(window, "cogvideox-2b", "download")
    qtbot.waitUntil(lambda: card.state.text() == "Ready", timeout=30_000)
    press(window, "cogvideox-2b", "remove")
    question = dialog(window, qtbot, RemoveDialog)
    assert isinstance(question, RemoveDialog)
    question.yes.click()
    qtbot.waitUntil(lambda: card.state.text() == "Not here", timeout=10_000)


def test_an_import_that_is_none_is_a_sentence(window: ModelsWindow, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "x.ckpt").write_bytes(b"PK\x03\x04")
    window.import_models(tmp_path / "x.ckpt")
    qtbot.waitUntil(lambda: "pickle" in window.error.text())


def test_what_an_import_left_out_is_shown(window: ModelsWindow, qtbot: QtBot, tmp_path: Path) -> None:
    tree = tmp_path / "ComfyUI" / "models"
    sparse(tree / "checkpoints" / "sd3.5_large.safetensors", mmdit(38))
    sparse(tree / "checkpoints" / "xl.safetensors", {"label_emb.0.0.weight": (4, 4)})
    lora = {"transformer.transformer_blocks.0.attn.to_q.lora_A.weight": (4, 8)}
    sparse(tree / "loras" / "ink.safetensors", lora | {next(iter(lora)).replace("A", "B"): (8, 4)})
    window.import_models(tree)
    qtbot.waitUntil(window.left_out.isVisible)
    qtbot.waitUntil(lambda: "sd3.5_large" in window.cards)
    assert all(text in window.said.text() for text in ("sd3.5_large", "LoRAs", "left out: 1"))
    window.left_out.click()
    shown = dialog(window, qtbot, LeftOutDialog)
    assert isinstance(shown, LeftOutDialog)
    assert "xl.safetensors is a Stable Diffusion XL checkpoint." in shown.text.toPlainText()
    assert str(tree / "checkpoints") in shown.text.toPlainText()
    shown.reject()


def drop(window: ModelsWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    place, buttons = QPointF(50, 50), Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(place.toPoint(), Qt.DropAction.CopyAction, data, buttons, Qt.KeyboardModifier.NoModifier)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    window.dropEvent(QDropEvent(place, Qt.DropAction.CopyAction, data, buttons, Qt.KeyboardModifier.NoModifier))


def test_a_dropped_file_is_imported_completed_forgotten_and_taken_back(
    window: ModelsWindow, qtbot: QtBot, hub: FakeHub, tmp_path: Path
) -> None:
    """A transformer alone: its card says what is missing; one click gets just that."""
    window._link.service.tokens.save(Token(TOKEN))
    file = sparse(tmp_path / "sd3.5_medium-fp8.safetensors", mmdit(24, x=True), "F8_E4M3")
    drop(window, file)
    qtbot.waitUntil(lambda: "sd3.5_medium-fp8" in window.cards)
    card = window.cards["sd3.5_medium-fp8"]
    qtbot.waitUntil(card.isVisible)
    assert card.state.text() == "Incomplete"
    assert "CLIP-G" in card.progress.text()
    press(window, "sd3.5_medium-fp8", "complete")
    question = dialog(window, qtbot, LicenceDialog)
    assert isinstance(question, LicenceDialog)
    question.tick.setChecked(True)
    question.yes.click()
    qtbot.waitUntil(lambda: card.state.text() == "Ready", timeout=30_000)
    assert not any("transformer/" in asked.path for asked in hub.requests("resolve"))
    assert window.cards["sd35-parts"].state.text() == "Ready"

    press(window, "sd3.5_medium-fp8", "remove")
    qtbot.waitUntil(lambda: "sd3.5_medium-fp8" not in window.cards)
    assert file.exists()
    qtbot.waitUntil(window.undo.isVisible)
    window.undo.click()
    qtbot.waitUntil(lambda: "sd3.5_medium-fp8" in window.cards)
    assert window.cards["sd3.5_medium-fp8"].state.text() == "Ready"


def test_an_upscaler_is_taken_in_out_and_back(window: ModelsWindow, qtbot: QtBot, tmp_path: Path) -> None:
    torch.save(compact(), tmp_path / "2x.pth")
    qtbot.waitUntil(lambda: DEFAULT in window.upscalers)
    assert not window.upscalers[DEFAULT].remove.isVisibleTo(window), "what ships stays"
    drop(window, tmp_path / "2x.pth")
    qtbot.waitUntil(lambda: "2x" in window.upscalers, timeout=120_000)
    window.upscalers["2x"].remove.click()
    qtbot.waitUntil(lambda: "2x" not in window.upscalers)
    qtbot.waitUntil(window.undo.isVisible)
    window.undo.click()
    qtbot.waitUntil(lambda: "2x" in window.upscalers)
    assert all(row.accessibleName() and row.remove.accessibleName() for row in window.upscalers.values())


def test_t5s_tokenizer_comes_by_a_click_without_an_account(
    window: ModelsWindow, qtbot: QtBot, hub: FakeHub, tmp_path: Path
) -> None:
    """An all-in-one file has T5's weights and no tokenizer of it: it runs without, and says so."""
    shapes = under("model.diffusion_model.", mmdit(24, x=True)) | under("first_stage_model.", VAE)
    for name, own in (("clip_l", CLIP_L), ("clip_g", CLIP_G), ("t5xxl", T5)):
        shapes |= under(f"text_encoders.{name}.transformer.", own)
    window.import_models(sparse(tmp_path / "sd3.5_medium_all.safetensors", shapes, "F16"))
    qtbot.waitUntil(lambda: "sd3.5_medium_all" in window.cards)
    card = window.cards["sd3.5_medium_all"]
    qtbot.waitUntil(card.isVisible)
    assert card.state.text() == "Ready"
    assert card.progress.isVisibleTo(window) and "T5 tokenizer" in card.progress.text()
    press(window, "sd3.5_medium_all", "complete")
    question = dialog(window, qtbot, LicenceDialog)
    assert isinstance(question, LicenceDialog)
    question.tick.setChecked(True)
    question.yes.click()
    qtbot.waitUntil(lambda: not card.buttons["complete"].isVisibleTo(window), timeout=30_000)
    assert card.state.text() == "Ready" and not card.progress.isVisibleTo(window)
    asked = [one.path for one in hub.requests("resolve")]
    assert any("zai-org/CogVideoX-2b" in path and "/tokenizer/spiece.model" in path for path in asked)
    assert not any("stabilityai" in path or "text_encoder/" in path for path in asked)


def test_everything_has_a_name_for_a_screen_reader(window: ModelsWindow) -> None:
    for card in window.cards.values():
        assert card.accessibleName()
        assert all(button.accessibleName() for button in card.buttons.values())
        assert card.bar.accessibleName()


@pytest.mark.parametrize("mode", ["dark", "light"])
def test_the_page_is_painted_whole(window: ModelsWindow, qtbot: QtBot, theme: Theme, mode: str, tmp_path: Path) -> None:
    """A screenshot: every card's name and button is there, in the theme's colours, and nothing is cut."""
    theme.set_mode("dark" if mode == "dark" else "light")
    window.resize(760, 1400)
    qtbot.waitExposed(window)
    picture = window.grab()
    assert picture.save(str(tmp_path / f"models-{mode}.png"))
    image = picture.toImage()
    assert image.pixelColor(5, 5).name() == theme.tokens.window
    accent = window.cards["sd3.5-large"].buttons["download"]
    corner = accent.mapTo(window, accent.rect().center())
    near = {
        image.pixelColor(corner.x() + dx, accent.mapTo(window, accent.rect().topLeft()).y() + 4).name()
        for dx in (-9, 0, 9)
    }
    assert theme.tokens.accent in near
    for card in window.cards.values():
        for text in (card.makes, card.needs, card.licence, card.state):
            assert text.width() >= min(text.sizeHint().width(), card.width() - 40)
            assert text.height() >= text.fontMetrics().height()


def test_a_model_that_is_sought_comes_into_sight(window: ModelsWindow, qtbot: QtBot) -> None:
    window.resize(600, 360)
    last = list(window.cards)[-1]
    window.show_model(last)
    card = window.cards[last]
    shown = window._area.viewport()
    qtbot.waitUntil(lambda: shown.rect().contains(card.mapTo(shown, card.rect().topLeft())))
    assert card.property("found") is True
    first = next(iter(window.cards))
    window.show_model(first)
    assert card.property("found") is False and window.cards[first].property("found") is True


def test_a_model_can_be_sought_before_the_cards_are_there(window: ModelsWindow, qtbot: QtBot) -> None:
    early = ModelsWindow(window._link)
    qtbot.addWidget(early)
    early.show_model("sd3.5-medium")
    qtbot.waitUntil(lambda: bool(early.cards))
    qtbot.waitUntil(lambda: early.cards["sd3.5-medium"].property("found") is True)
