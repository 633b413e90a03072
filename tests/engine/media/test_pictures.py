"""Every picture that comes in is read in one way: upright, 8-bit sRGB, transparency on a stated colour."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from engine.media import colour, pictures
from engine.protocol.errors import BadFile

GREEN = (60, 200, 60)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    pictures.pillow()
    image.save(path, **options)
    return path


def pixel(path: Path) -> tuple[int, ...]:
    image = pictures.read(path)
    assert image.mode == "RGB"
    return image.getpixel((image.width // 2, image.height // 2))


def test_no_other_file_opens_pictures() -> None:
    """Nor would another one have the same limits and colours. Qt reads results only, and what Laterna made of them."""
    root = Path(__file__).resolve().parents[3]
    files = [path for part in ("app", "engine", "ui") for path in (root / part).rglob("*.py")]
    opening = {
        str(path.relative_to(root)) for path in files if re.search(r"\b[Ii]mages?\.open\(", path.read_text("utf-8"))
    }
    own = {"engine/media/pictures.py", "engine/interop/stealth.py", "engine/training/sprites.py"}  # bits; what ships
    assert opening == own
    by_qt = {str(path.relative_to(root)) for path in files if "QImageReader(" in path.read_text("utf-8")}
    assert by_qt == {"ui/player/picture.py", "ui/library/thumbnails.py"}


def close(found: tuple[int, ...], expected: tuple[int, ...], by: int = 3) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, expected, strict=True))


def profile(primaries: colour.Primaries, gamma: float) -> bytes:
    """A matrix profile of ICC version 2 with these primaries (adapted to D50 by Bradford) and one gamma."""
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d50, d65 = np.array([0.9642, 1.0, 0.8249]), np.array([0.9505, 1.0, 1.0890])
    adapt = np.linalg.inv(bradford) @ np.diag((bradford @ d50) / (bradford @ d65)) @ bradford
    matrix = adapt @ colour._to_xyz(primaries)

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(values: np.ndarray) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))

    curve = b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", round(gamma * 256)) + b"\0\0"
    tags = {b"wtpt": xyz(d50), b"rXYZ": xyz(matrix[:, 0]), b"gXYZ": xyz(matrix[:, 1]), b"bXYZ": xyz(matrix[:, 2])}
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + b"\0" * 79
    tags[b"cprt"] = b"text\0\0\0\0none\0\0\0\0"
    place, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        padded = data + b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", place + len(body), len(padded))
        body += padded
    head = struct.pack(">I4sI4s4s4s", place + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    head += fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    return head.ljust(128, b"\0") + table + body


ADOBE = profile((0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 2.19921875)


def in_profile(rgb: tuple[int, int, int], raw: bytes, mode: str = "RGB") -> tuple[int, ...]:
    """The numbers that mean the sRGB colour ``rgb`` in a profile."""
    one = Image.new("RGB", (1, 1), rgb)
    to = ImageCms.ImageCmsProfile(io.BytesIO(raw))
    made = ImageCms.profileToProfile(one, ImageCms.createProfile("sRGB"), to, outputMode=mode)
    assert made is not None
    return made.getpixel((0, 0))


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "avif", "heic", "tif", "bmp", "gif"])
def test_every_kind_that_the_dialog_offers_is_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "heic":
        pytest.importorskip("pillow_heif")
    saved(path, Image.new("RGB", (64, 32), GREEN))
    assert close(pixel(path), GREEN)
    assert pictures.size_of(path) == (64, 32)
    assert pictures.is_picture(path.read_bytes()[: pictures.START_BYTES])
    assert path.suffix in pictures.ENDINGS


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_grey_of_16_bits_keeps_its_brightness(tmp_path: Path, ending: str, order: str) -> None:
    values = np.full((16, 16), 127 * 257, order)
    path = saved(tmp_path / f"a.{ending}", Image.fromarray(values))
    assert pixel(path) == (127, 127, 127)


def test_each_of_65536_greys_is_rounded_to_the_nearest_of_256(tmp_path: Path) -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    found = np.asarray(pictures.read(saved(tmp_path / "a.png", Image.fromarray(values))))
    assert np.array_equal(found[..., 0].ravel(), np.floor(values.ravel() / 257 + 0.5).astype(np.uint8))
    assert np.array_equal(found[..., 0], found[..., 2])


def test_colours_of_16_bits_keep_their_brightness(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", *(257 * value for value in GREEN)) * 8 for _ in range(8))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(map(lambda one: chunk(*one), chunks)))
    assert pixel(path) == GREEN


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize(("values", "grey"), [(np.float32(0.5), 128), (np.float32(128), 128), (np.int32(40000), 156)])
def test_numbers_with_a_point_go_to_1_or_to_255(tmp_path: Path, values: np.generic, grey: int) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(np.full((8, 8), values)))
    assert pixel(path) == (grey, grey, grey)


@pytest.mark.parametrize("value", [1000.0, -1.0, float("nan"), float("inf")])
def test_light_that_no_screen_shows_is_refused_with_a_remedy(tmp_path: Path, value: float) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(np.full((8, 8), value, np.float32)))
    with pytest.raises(BadFile, match="16 bits"):
        pictures.read(path)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp", "avif", "heic"])
def test_a_profile_says_what_the_numbers_mean(tmp_path: Path, ending: str) -> None:
    numbers = in_profile(GREEN, ADOBE)
    assert numbers[0] > 100  # the very numbers would be another green
    options = {"lossless": True} if ending == "webp" else {"quality": 95}
    path = saved(tmp_path / f"a.{ending}", Image.new("RGB", (64, 64), numbers), icc_profile=ADOBE, **options)
    assert close(pixel(path), GREEN, 6)


def test_a_palette_and_alpha_have_the_profile_of_their_file(tmp_path: Path) -> None:
    numbers = in_profile(GREEN, ADOBE)
    few = Image.new("RGB", (8, 8), numbers).quantize(4)
    assert close(pixel(saved(tmp_path / "p.png", few, icc_profile=ADOBE)), GREEN)
    half = Image.new("RGBA", (8, 8), (*numbers, 128))
    expected = tuple(round(value * 128 / 255 + 127) for value in GREEN)
    assert close(pixel(saved(tmp_path / "a.png", half, icc_profile=ADOBE)), expected)


def test_a_profile_that_is_srgb_changes_no_pixel(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    raw = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(tmp_path / "a.png", Image.fromarray(values), icc_profile=raw)
    assert np.array_equal(np.asarray(pictures.read(path)), values)


@pytest.mark.parametrize("raw", [b"no profile", ADOBE[:300], b"\0" * 128, ADOBE.replace(b"RGB ", b"CMYK")])
def test_a_damaged_profile_is_left_out(tmp_path: Path, raw: bytes) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", (8, 8), GREEN), icc_profile=raw)
    assert pixel(path) == GREEN


def test_inks_are_colours(tmp_path: Path) -> None:
    red = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    for name in ("a.jpg", "a.tif"):
        assert close(pixel(saved(tmp_path / name, red)), (254, 0, 0), 6)


def test_lab_is_colour(tmp_path: Path) -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    made = ImageCms.profileToProfile(Image.new("RGB", (16, 16), GREEN), srgb, lab, outputMode="LAB")
    assert made is not None
    assert close(pixel(saved(tmp_path / "a.tif", made)), GREEN, 6)


def test_one_bit_and_grey_with_alpha(tmp_path: Path) -> None:
    assert pixel(saved(tmp_path / "1.png", Image.new("1", (8, 8), 1))) == (255, 255, 255)
    assert pixel(saved(tmp_path / "1.tif", Image.new("1", (8, 8), 0))) == (0, 0, 0)
    assert close(pixel(saved(tmp_path / "la.png", Image.new("LA", (8, 8), (0, 128)))), (127, 127, 127), 1)


def test_transparency_lies_on_the_stated_colour(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGBA", (8, 8), (10, 20, 30, 0)))
    assert pixel(path) == (255, 255, 255)
    assert pictures.read(path, (0, 0, 0)).getpixel((0, 0)) == (0, 0, 0)
    keyed = saved(tmp_path / "b.png", Image.new("P", (8, 8), 0), transparency=0)
    assert pixel(keyed) == (255, 255, 255)


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "avif", "heic"])
def test_the_camera_s_way_of_holding_counts(tmp_path: Path, turned: int, ending: str) -> None:
    corner = np.zeros((64, 96, 3), np.uint8)
    corner[:32, :48] = 255  # light at the upper left as it is stored
    exif = Image.Exif()
    exif[0x0112] = turned
    path = saved(tmp_path / f"a.{ending}", Image.fromarray(corner), exif=exif.tobytes(), quality=95)
    image = pictures.read(path)
    assert image.size == ((64, 96) if turned >= 5 else (96, 64)) == pictures.size_of(path)
    x, y = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}[turned]
    places = {(i, j): image.getpixel((image.width * (2 * i + 1) // 4, image.height * (2 * j + 1) // 4))[0]
              for i in (0, 1) for j in (0, 1)}  # fmt: skip
    assert max(places, key=lambda place: places[place]) == (x, y)


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "avif", "tif"])
def test_of_an_animation_the_first_picture_is_taken(tmp_path: Path, ending: str) -> None:
    frames = [Image.new("RGB", (32, 32), one) for one in ((0, 250, 0), (250, 0, 0))]
    path = saved(tmp_path / f"a.{ending}", frames[0], save_all=True, append_images=frames[1:])
    assert close(pixel(path), (0, 250, 0), 8)


def test_a_png_s_gamma_and_code_points_count(tmp_path: Path) -> None:
    def with_chunk(kind: bytes, body: bytes) -> Path:
        path = saved(tmp_path / "a.png", Image.new("RGB", (8, 8), (128, 128, 128)))
        raw = path.read_bytes()
        path.write_bytes(raw[:33] + chunk(kind, body) + raw[33:])
        return path

    linear = round(255 * (1.055 * (128 / 255) ** (1 / 2.4) - 0.055))
    assert close(pixel(with_chunk(b"gAMA", struct.pack(">I", 100000))), (linear,) * 3, 1)
    assert pixel(with_chunk(b"gAMA", struct.pack(">I", 45455))) == (128, 128, 128)
    assert close(pixel(with_chunk(b"cICP", bytes([1, 8, 0, 1]))), (linear,) * 3, 1)
    assert pixel(with_chunk(b"cICP", bytes([1, 13, 0, 1]))) == (128, 128, 128)


def test_light_of_hdr_is_brought_to_a_screen_s() -> None:
    """BT.2408: 203 cd/m² are 58 % of PQ's signal and 75 % of HLG's, and are white here."""
    for transfer, white in ((16, 0.58), (18, 0.75)):
        values = np.array([[[0] * 3, [round(white * 255)] * 3, [255] * 3]], np.uint8)
        found = np.asarray(colour.by_coding(Image.fromarray(values), colour.Coding(colour.BT709, transfer)))
        assert found[0, 0].tolist() == [0, 0, 0]
        assert found[0, 1].min() >= 250
        assert found[0, 2].tolist() == [255, 255, 255]
        middle = Image.fromarray(np.full((1, 1, 3), round(white * 255 / 2), np.uint8))
        assert 10 < np.asarray(colour.by_coding(middle, colour.Coding(colour.BT709, transfer))).max() < 200


def test_display_p3_of_an_avif_counts(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.avif", Image.new("RGB", (64, 64), GREEN), quality=95)
    raw = path.read_bytes()
    place = raw.find(b"colrnclx") + 8
    assert place > 8
    path.write_bytes(raw[:place] + b"\0\x0c\0\x0d" + raw[place + 4 :])
    wide = pixel(path)
    assert wide[0] < 20 and wide[1] > 198, wide  # P3's green is a stronger one


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"BM", b"text", b"%!PS-Adobe"]
)
def test_what_is_no_picture_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    for function in (pictures.read, pictures.size_of):
        with pytest.raises(BadFile, match=r"a\.png cannot be read as a picture"):
            function(path)


def test_a_size_beyond_the_limit_is_refused_before_decoding(tmp_path: Path) -> None:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    for function in (pictures.read, pictures.size_of):
        with pytest.raises(BadFile, match="60000 × 60000: too large"):
            function(path)
