"""The system's keyring: looked for late, by name, and given up on when it does not answer."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine.models.keyrings import KeyringSilent, Patient, find_keyring
from engine.models.token import Token, TokenStore

NO_BUS = {"PATH": "/usr/bin:/bin"}


class Silent:
    """A keyring whose password prompt nobody answers."""

    def __init__(self) -> None:
        self.asked = 0
        self.never = threading.Event()

    def get_password(self, service: str, account: str) -> str | None:
        self.asked += 1
        self.never.wait()
        return None

    def set_password(self, service: str, account: str, password: str) -> None:
        self.never.wait()

    def delete_password(self, service: str, account: str) -> None:
        self.never.wait()


@pytest.fixture
def silent() -> object:
    keyring = Silent()
    yield keyring
    keyring.never.set()


def test_a_silent_keyring_is_given_up_on_once(tmp_path: Path, silent: Silent) -> None:
    tokens = TokenStore(tmp_path / "hub-token", {"HF_TOKEN": "hf_env"}, lambda: Patient(silent, 0.05))
    assert tokens.find()[1] == "environment"
    assert tokens.find()[1] == "environment"
    assert silent.asked == 1
    assert tokens.save(Token("hf_mine")) == "file"
    assert not tokens.has_keyring, "the dialog says so"
    with pytest.raises(KeyringSilent):
        Patient(silent, 0.01).delete_password("laterna", "hub-token")


def test_without_a_session_bus_there_is_none_and_no_wait() -> None:
    program = (
        "import time, sys; began = time.monotonic();"
        "from engine.models.keyrings import find_keyring;"
        "found = find_keyring({}, 'linux'); print(found, time.monotonic() - began < 20)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, env=NO_BUS, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["None", "True"], done.stderr


def test_it_is_not_imported_before_it_is_needed(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from engine.models.service import ModelService;"
        f"service = ModelService(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}), print);"
        "print(any(name.startswith(('keyring', 'secretstorage')) for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr


def test_no_plugin_takes_its_place() -> None:
    """A plain-text backend that the ``keyring`` package would choose is not looked at; the empty one is respected."""
    began = time.monotonic()
    assert find_keyring({"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}) is None
    assert find_keyring({}, "plan9") is None
    assert time.monotonic() - began < 10
