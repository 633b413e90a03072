"""Bytes from strangers as text: by their mark, by what they claim, and where both lie or are missing, by how they look.

Sources: Unicode 16 ch. 2.6 (marks), Exif 3.0 § 4.6.5 (UserComment's eight bytes of character code).
"""

from __future__ import annotations

import codecs
import re
import unicodedata

SAMPLE = 20_000  # bytes that are looked at to tell an encoding
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, which begins the same
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODES = (b"UNICODE\0", b"ASCII\0\0\0", b"JIS\0\0\0\0\0", b"\0" * 8)
_LINE_ENDS = re.compile(r"\r\n?")


def text_of(raw: bytes, errors: str = "replace") -> str:
    """A whole file or chunk as text; never raises, what no encoding explains becomes U+FFFD.

    UTF-8 with a few broken characters is damaged UTF-8, with many an old code page. With other ``errors`` than
    "replace" it is always the former, and its broken bytes are what that makes of them.
    """
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(name, errors)
    if _is_wide(raw):
        return _wide(raw, None)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        broken = raw.decode("utf-8", errors)
        is_cut = error.reason == "unexpected end of data"
        if errors != "replace" or is_cut or broken.count("\ufffd") * 50 < len(broken):
            return broken
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def user_comment(raw: bytes, order: str) -> str:
    """EXIF's UserComment. ``order`` is that of the TIFF block ("<" or ">"), which counts where the text itself says
    nothing; programs write either order, with and without a mark, under any of the codes or none."""
    code, body = raw[:8], raw[8:]
    if code not in _CODES:
        code, body = b"", raw
    if code == b"JIS\0\0\0\0\0":
        for name in ("iso2022_jp", "shift_jis", "euc_jp"):
            try:
                return body.decode(name).strip("\0")
            except UnicodeDecodeError:
                continue
    if code == b"UNICODE\0" and not _is_narrow(body) and not body.startswith(codecs.BOM_UTF8):
        marked = next((name for mark, name in _MARKS[1:] if body.startswith(mark)), None)
        return (text_of(body) if marked else _wide(body, order)).strip("\ufeff\0")
    return text_of(body).strip("\ufeff\0")


def cleaned(text: str) -> str:
    """``text`` with plain line ends and without zero characters and marks, as a prompt has them."""
    return _LINE_ENDS.sub("\n", text).replace("\0", "").replace("\ufeff", "")


def _is_wide(raw: bytes) -> bool:
    """Whether half of the bytes, the even or the odd ones, are mostly zeros, as in UTF-16 without a mark."""
    sample = raw[:SAMPLE]
    if len(sample) < 4 or b"\0" not in sample:
        return False
    halves = sample[0::2].count(0) / len(sample[0::2]), sample[1::2].count(0) / len(sample[1::2])
    return max(halves) > 0.3 and min(halves) < 0.05


def _is_narrow(body: bytes) -> bool:
    """Whether bytes that claim to be UTF-16 are UTF-8: no zeros, valid, and with words in it."""
    sample = body.rstrip(b"\0")[:SAMPLE]
    if b"\0" in sample or not re.search(rb"[A-Za-z]{4,}[^A-Za-z]", sample):
        return False
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(sample) == SAMPLE and error.start > SAMPLE - 4
    return True


def _wide(raw: bytes, order: str | None) -> str:
    """UTF-16 in the byte order that reads better; ``order`` decides where both read alike."""
    names = ("utf-16-be", "utf-16-le") if order == ">" else ("utf-16-le", "utf-16-be")
    return raw.decode(min(names, key=lambda name: _strangeness(raw[:SAMPLE], name)), "replace")


def _strangeness(sample: bytes, name: str) -> tuple[float, int, int]:
    """How little a text looks like one: characters that are none, then few plain ones, then many rows of the table (a
    writing has its letters together, so the upper bytes are few)."""
    text = sample[: len(sample) // 2 * 2].decode(name, "replace")
    none = sum(unicodedata.category(sign) in ("Cn", "Co", "Cs") or sign == "\ufffd" for sign in text)
    plain = sum(" " <= sign <= "~" or sign == "\n" for sign in text)
    return none, -plain, len({ord(sign) >> 8 for sign in text})
