import errno

import pytest

from engine.protocol import errors
from engine.protocol.errors import ErrorInfo, LaternaError

EXIT_CODES = {
    "BadArguments": 2,
    "BadRecipe": 2,
    "BadFile": 2,
    "LibraryBusy": 2,
    "ModelMissing": 3,
    "ModelDamaged": 3,
    "UnsafeModel": 3,
    "OutOfMemory": 4,
    "NoSpace": 5,
    "NotWritable": 5,
    "NetworkFailed": 6,
    "AccessDenied": 6,
    "Cancelled": 130,
    "EngineDied": 1,
    "ProtocolError": 1,
    "UnknownFailure": 1,
}


@pytest.mark.parametrize("name", EXIT_CODES)
def test_an_error_crosses_the_border_as_itself(name: str) -> None:
    sent = getattr(errors, name)("What happened.", "What to do.", field="width", detail="log")
    found = errors.from_info(sent.info())
    assert type(found) is type(sent)
    assert (found.message, found.remedy, found.field, found.detail) == ("What happened.", "What to do.", "width", "log")
    assert found.exit_code == EXIT_CODES[name]
    assert str(found) == sent.info().sentence() == "What happened. What to do."


def test_an_unknown_kind_is_a_bug() -> None:
    assert type(errors.from_info(ErrorInfo("Newer", "a."))) is errors.UnknownFailure


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, errors.NoSpace),
        (errno.EDQUOT, errors.NoSpace),
        (errno.EACCES, errors.NotWritable),
        (errno.EROFS, errors.NotWritable),
        (errno.ENOTDIR, errors.NotWritable),
        (errno.EIO, errors.NotWritable),
    ],
)
def test_system_errors_become_sentences(code: int, kind: type[LaternaError]) -> None:
    found = errors.from_os_error(OSError(code, "reason"), "saving the picture", "/a/b.png")
    assert type(found) is kind
    assert "/a/b.png" in found.message and found.message.endswith(".") and found.remedy


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EACCES, errno.EISDIR, errno.EINVAL])
def test_what_cannot_be_read_is_looked_at_and_no_folder_is_chosen(code: int) -> None:
    reading = errors.from_os_error(OSError(code, "reason"), "reading the LoRA", "/a/b.safetensors")
    saving = errors.from_os_error(OSError(code, "reason"), "saving the picture", "/a/b.png")
    assert reading.remedy == "Check the name and your permission." != saving.remedy


def test_what_a_sentence_quotes_is_cut() -> None:
    error = errors.BadFile(f"“{'x' * 400_000}” is no number.", "y" * 400_000, detail="z" * 400_000)
    assert len(str(error)) < 3000 and error.message.startswith("“xxx") and error.message.endswith(" is no number.")
    assert len(error.info().detail) <= errors.MAX_DETAIL
    again = errors.from_info(error.info())
    assert len(again.message) <= len(error.message)
