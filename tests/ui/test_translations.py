"""Every string that a person reads goes through Qt's translation, and every one is translated.

Where one of these fails after a string was added or changed: run `resources/translations/update.py`, fill in what it
lists, and commit what it wrote.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtWidgets import QApplication

from engine.models.catalog import FAMILIES, MODELS
from engine.protocol.errors import BadRecipe, ErrorInfo, from_os_error
from engine.protocol.family_info import validate
from tests.fakes.fake_engine import LOWERED
from ui.sentences import Sentences

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "resources" / "translations"
PLACES = re.compile(r"\{[^{} ]*\}")  # a key between braces has spaces around it
# Calls whose first (or named) text a person reads.
SETTERS = frozenset(
    (
        *("setText", "setToolTip", "setWindowTitle", "setAccessibleName", "setAccessibleDescription", "setLabelText"),
        *("setPlaceholderText", "setSuffix", "set_text", "set_sentence", "show_hint", "addMenu", "label", "Message"),
        *("QLabel", "QPushButton", "QCheckBox", "QRadioButton", "ElidedLabel", "Combo", "IntSpin"),
    )
)
NO_WORDS = frozenset(("Laterna", "×", "  ·  "))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


update = load("update")


@pytest.fixture(scope="module")
def known() -> dict[tuple[str, str], str]:
    return update.read(FOLDER / "laterna_pt_BR.ts")


def test_every_string_is_in_portuguese(known: dict[tuple[str, str], str]) -> None:
    texts = update.collect()
    assert len(texts) > 700
    assert [text for text in texts if not known.get(text)] == []


def test_every_sentence_of_the_engine_is_in_portuguese(known: dict[tuple[str, str], str]) -> None:
    sentences = update.sentences()
    assert json.loads((FOLDER / "sentences.json").read_text("utf-8")) == sentences and len(sentences) > 300
    assert [one for one in sentences if not known.get(update.Text(update.SENTENCES, one))] == []


def test_places_for_values_are_kept(known: dict[tuple[str, str], str]) -> None:
    wrong = [
        (text, translation)
        for text, translation in known.items()
        if sorted(PLACES.findall(text.source)) != sorted(PLACES.findall(translation))
    ]
    assert wrong == []


def test_spaces_at_the_ends_are_kept(known: dict[tuple[str, str], str]) -> None:
    for (_context, source), translation in known.items():
        assert (source[0] == " ") == (translation[0] == " "), source


def test_what_ships_is_compiled_from_what_is_written(tmp_path: Path) -> None:
    update.compile_to(FOLDER / "laterna_pt_BR.ts", tmp_path / "made.qm")
    assert (tmp_path / "made.qm").read_bytes() == (FOLDER / "laterna_pt_BR.qm").read_bytes()


def test_no_string_lies_outside_of_translation() -> None:
    outside = []
    for path in update.python_files("ui"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in SETTERS and node.args and has_words(node.args[0]):
                outside.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert outside == []


def has_words(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = re.sub(r"<[^>]*>?", "", node.value).strip()
        return text not in NO_WORDS and bool(re.search(r"[A-Za-z]{3}", text))
    if isinstance(node, ast.JoinedStr):
        return any(has_words(part) for part in node.values if isinstance(part, ast.Constant))
    return False


@pytest.fixture
def portuguese(qapp: QApplication) -> Sentences:
    translator = QTranslator()
    assert translator.load(str(FOLDER / "laterna_pt_BR.qm"))
    QCoreApplication.installTranslator(translator)
    yield Sentences(FOLDER / "sentences.json")
    QCoreApplication.removeTranslator(translator)


def refusal(**changes: object) -> ErrorInfo:
    with pytest.raises(BadRecipe) as refused:
        validate(MODELS["sd3.5-large"].recipe("an owl").replace(**changes), FAMILIES["sd35"])
    return refused.value.info()


def test_errors_of_the_engine_speak_portuguese(portuguese: Sentences) -> None:
    wrong_width = portuguese.error(refusal(width=1000))
    assert wrong_width.message == "A largura é 1000; Stable Diffusion 3.5 precisa de um múltiplo de 16."
    assert wrong_width.remedy == "Use 992." and wrong_width.field == "width"
    assert portuguese.error(refusal(steps=0)).message == "O número de passos é 0; deve ser de 1 a 200."
    full = from_os_error(OSError(28, "No space left on device"), "saving the picture", "/home/me/x.png").info()
    assert portuguese.error(full).message == "O disco está cheio: salvar a imagem falhou (/home/me/x.png)."


def test_several_sentences_and_unknown_ones(portuguese: Sentences) -> None:
    assert portuguese.sentence("The engine has ended. It is started again by itself.") == (
        "O motor terminou. Ele é iniciado de novo sozinho."
    )
    assert portuguese.sentence("Nobody wrote this. Try again.") == "Nobody wrote this. Tente de novo."
    assert portuguese.sentence("") == ""


def test_a_job_that_goes_on_with_less_memory_says_so_in_portuguese(portuguese: Sentences) -> None:
    said = portuguese.sentence(LOWERED)
    assert said == "A memória acabou ao remover o ruído. A tarefa segue dali com menos: transmissão por blocos."


def test_in_english_nothing_is_changed(qapp: QApplication) -> None:
    info = refusal(width=1000)
    assert Sentences(FOLDER / "sentences.json").error(info) == info


def test_the_window_speaks_portuguese(tmp_path: Path) -> None:
    """In a process of its own: language is chosen before the first widget."""
    code = (
        "import sys; from app.composition import make_application; app = make_application(['x'], 'pt_BR')\n"
        "from ui.session import Session; from ui.theme import Theme; from ui.generate.panel import GeneratePanel\n"
        "theme = Theme('dark'); panel = GeneratePanel(Session('image'), theme=theme)\n"
        "from PySide6.QtCore import Qt; app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)\n"
        "panel.resize(345, 800); panel.show(); panel.grab()\n"
        "print(panel.generate_button.text(), panel.prompts.style_button.text(), sep='|'); panel.close_down()"
    )
    environment = {"QT_QPA_PLATFORM": "offscreen", "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "Gerar imagem|Estilo: nenhum", done.stderr


def test_what_a_strange_file_is_has_its_translation(known: dict[tuple[str, str], str]) -> None:
    from engine.models.reading.strangers import WORDS

    assert len(WORDS) > 40
    assert [what for what in WORDS if not known.get(update.Text(update.SENTENCES, what))] == []
