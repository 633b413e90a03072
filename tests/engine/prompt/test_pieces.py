"""A T5's tokenizer gives SentencePiece's own ids, from whichever file has its pieces."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from engine.prompt.pieces import open_pieces, pieces_in
from engine.prompt.tokenizer_files import open_tokenizer
from engine.protocol.errors import ModelDamaged
from engine.worker.conditioning.piece_tokenizer import PieceTokenizer

TEXTS = (
    "A red apple on the left of a small house, soft light, 35mm photograph, highly detailed.",
    "Ein alter Mann liest unter einem großen Baum; dahinter ein See im Nebel.",
    "Une maison près de la mer, l'été, avec des bateaux à voile.",
    "Um gato preto dorme sobre a cadeira azul, fotografia à noite.",
    "Красное яблоко на столе, мягкий свет, старый дом у реки.",
    "红色的苹果放在桌子上，柔和的光线，高清照片。",
    "赤いりんごがテーブルの上にあります。柔らかい光。",
    "빨간 사과가 탁자 위에 있다, 부드러운 빛.",
    "تفاحة حمراء على الطاولة، ضوء ناعم.",
    "लाल सेब मेज पर रखा है, कोमल प्रकाश।",
    "Ένα κόκκινο μήλο πάνω στο τραπέζι, απαλό φως.",
    "A dog moves right, then left; (best quality:1.2), [blur] 8k",
)
ODD = (
    "", " ", "  ", " a  b ", "a\nb\n\nc", "\n", "\r\n", "a\tb", "</s> in a text", "<pad>", "<unk>", "<extra_id_5> x",
    "👩‍🎨 paints 🎨🔥 😀🏽 🇧🇷", "e\u0301 \u0301 x", "\u200b\xa0\u2009", "ｆｕｌｌ ﬁ ½ Å ①", "a\x85b\x00c", "▁a ▁ b",
)  # fmt: skip
POOLS = (
    "abcdefghijklmnopqrstuvwxyz ABC0123456789.,;:!?()[]{}'\"-_/\\\n\t", "абвгд ежз", "红色的苹果 桌子", "りんごの上 ",
    "ضوء ناعم", "👩‍🎨🎨🔥😀🏽🇧🇷 ", "éàüñß ﬁ ½ Å ① ｆｕｌｌ　", "  \u00a0\u200b\u2009\r\n\x0b\u0301",
)  # fmt: skip
RANGES = ((32, 0x2FF), (0x370, 0x1FFF), (0x2000, 0x2FFF), (0x3040, 0x9FFF), (0x1F300, 0x1FAFF))


def random_text(source: random.Random) -> str:
    length = source.randint(0, 40)
    if source.random() < 0.8:
        pool = "".join(source.sample(POOLS, source.randint(1, 3)))
        return "".join(source.choice(pool) for _ in range(length))
    return "".join(chr(source.randint(*source.choice(RANGES))) for _ in range(length))


CORPUS = (*TEXTS, *ODD, *(random_text(source) for source in [random.Random(7)] for _ in range(10_000)))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a SentencePiece model of T5's kind."""
    from sentencepiece import SentencePieceTrainer

    folder = tmp_path_factory.mktemp("own")
    (folder / "text.txt").write_text("\n".join(TEXTS) * 40, "utf-8")
    SentencePieceTrainer.train(
        input=str(folder / "text.txt"), model_prefix=str(folder / "spiece"), vocab_size=600, model_type="unigram",
        normalization_rule_name="nmt_nfkc", pad_id=0, eos_id=1, unk_id=2, bos_id=-1, hard_vocab_limit=False,
        minloglevel=2,
    )  # fmt: skip
    (folder / "text.txt").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer", "extra_ids": 100}))
    return folder


@pytest.fixture(scope="module")
def reference(own: Path) -> Any:
    from sentencepiece import SentencePieceProcessor

    return SentencePieceProcessor(model_file=str(own / "spiece.model"))


def as_table(own: Path, place: Path) -> Path:
    """transformers' own conversion, as ComfyUI carries it, with the marks for gaps behind."""
    from transformers import T5TokenizerFast

    T5TokenizerFast.from_pretrained(own, local_files_only=True).save_pretrained(place)
    assert not (place / "spiece.model").exists()
    return place


def as_gguf(reference: Any, place: Path, told: bool = True) -> Path:
    """As llama.cpp converts T5: marks for gaps as the user's own, then fillers up to a round size."""
    import gguf

    writer = gguf.GGUFWriter(place, "t5encoder")
    count = reference.get_piece_size()
    tokens = [reference.id_to_piece(i) for i in range(count)] + [f"<extra_id_{99 - i}>" for i in range(100)]
    kinds = [2 if reference.is_unknown(i) else 3 if reference.is_control(i) else 1 for i in range(count)] + [4] * 100
    tokens, kinds = tokens + [f"[PAD{i}]" for i in range(28)], kinds + [5] * 28
    writer.add_token_list(tokens)
    writer.add_token_scores([reference.get_score(i) for i in range(count)] + [-1000.0] * 128)
    if told:
        writer.add_token_types(kinds)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return place


@pytest.mark.parametrize("kind", ["spiece.model", "tokenizer.json", "gguf", "gguf without kinds"])
def test_ids_are_sentencepieces_own(own: Path, reference: Any, tmp_path: Path, kind: str) -> None:
    place = {
        "spiece.model": lambda: pieces_in(own),
        "tokenizer.json": lambda: pieces_in(as_table(own, tmp_path / "table")),
        "gguf": lambda: as_gguf(reference, tmp_path / "t5.gguf"),
        "gguf without kinds": lambda: as_gguf(reference, tmp_path / "t5.gguf", told=False),
    }[kind]()
    assert place is not None
    texts = [text for text in CORPUS if kind != "gguf without kinds" or "[PAD" not in text]
    made, wanted = PieceTokenizer(place)(list(texts)).input_ids, [[*reference.encode(text), 1] for text in texts]
    different = [text for text, one, other in zip(texts, made, wanted, strict=True) if one != other]
    assert not different, f"{len(different)} of {len(texts)}: {different[:5]}"
    assert len({tuple(row) for row in wanted}) > 7000  # the corpus says something


def test_the_counter_counts_the_same(own: Path, reference: Any, tmp_path: Path) -> None:
    counters = [open_tokenizer(own), open_tokenizer(as_table(own, tmp_path / "table"))]
    counters.append(open_tokenizer(as_gguf(reference, tmp_path / "t5.gguf")))
    for text in CORPUS[:300]:
        assert [len(one.starts(text)) for one in counters] == [len(reference.encode(text))] * 3


def test_padding_and_cutting(own: Path, reference: Any) -> None:
    tokenizer = PieceTokenizer(own / "spiece.model")
    ids = tokenizer([TEXTS[0], ""], padding="max_length", max_length=16, truncation=True, return_tensors="pt").input_ids
    assert ids.shape == (2, 16)
    assert ids[0].tolist() == [*reference.encode(TEXTS[0])[:15], 1] and ids[1].tolist() == [1] + [0] * 15


def test_other_tokenizers_are_left_to_their_library(tmp_path: Path) -> None:
    assert pieces_in(tmp_path) is None
    for text in ('{"model": {"type": "BPE"}}', "{", "[]", '{"model": []}'):
        (tmp_path / "tokenizer.json").write_text(text)
        assert pieces_in(tmp_path) is None


def test_what_is_damaged_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "spiece.model").write_bytes(b"nothing")
    with pytest.raises(ModelDamaged, match=r"tokenizer in spiece\.model"):
        open_pieces(tmp_path / "spiece.model")
    (tmp_path / "tokenizer.json").write_text('{"model": {"type": "Unigram", "vocab": [1]}}')
    with pytest.raises(ModelDamaged):
        open_pieces(tmp_path / "tokenizer.json")
