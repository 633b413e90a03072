"""The domain in Brazilian Portuguese: names with their genders, and every wording of `captions.py`.

Each language says the same compositions, so a picture model learns the words by pictures it knows already.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np

from .catalogue import BACKGROUNDS
from .scenes import Placed, Scene


@dataclass(frozen=True)
class PortugueseNoun:
    """`gender` is "m", "f" or, for plurals, "fp"."""

    names: tuple[str, ...]
    gender: str


def _nouns(text: str) -> tuple[PortugueseNoun, ...]:
    rows = (line.split(maxsplit=1) for line in text.strip().splitlines())
    return tuple(PortugueseNoun(tuple(names.split("|")), gender) for gender, names in rows)


NOUNS: tuple[PortugueseNoun, ...] = _nouns("""
f maçã vermelha|maçã
f coruja
m foguete
f casa
m gato|gatinho
m coelho|coelhinho
m carro vermelho|carro
f estrela
m coração vermelho|coração
m sapo|rã
m pinguim
f banana
m morango
m cogumelo
m cacto
f bola de futebol
f bola de basquete
m presente
m balão|balão vermelho
m urso
f raposa
m porco|porquinho
m panda|urso panda
f abelha
f borboleta
m peixe
f lua
m sol
f árvore
m donut|rosquinha
f pizza
m ônibus
m cachorro|cão|cachorrinho
m leão
m tigre
m macaco
m elefante
f tartaruga
m polvo
m golfinho
f baleia
m caranguejo
f joaninha
m unicórnio
f galinha
m pintinho
m dinossauro
f maçã verde
f laranja
m limão
fp uvas
f melancia
fp cerejas
m abacaxi
m abacate
f cenoura
m hambúrguer
m bolo|bolo de aniversário
m sorvete
m café
m girassol
f tulipa
f rosa|rosa vermelha
m carro azul
m trator
f bicicleta
m trem
m avião
m helicóptero
m veleiro|barco
m disco voador|ovni
m castelo
m boneco de neve
m coração azul
m coração verde
m coração roxo
f coroa
f cartola
m guarda-chuva
f lâmpada
f chave
f guitarra
m tambor
f câmera
m despertador|relógio
m robô
m fantasma
m alienígena
f abóbora
m diamante
m arco-íris
f nuvem
m fogo
m ursinho de pelúcia|urso de pelúcia
""")

# name after "fundo", and phrases that place something in it
SCENERY: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "white": (("branco",), ()),
    "black": (("preto",), ()),
    "gray": (("cinza",), ()),
    "red": (("vermelho",), ()),
    "orange": (("laranja",), ()),
    "yellow": (("amarelo",), ()),
    "green": (("verde",), ()),
    "blue": (("azul",), ()),
    "purple": (("roxo",), ()),
    "pink": (("rosa",), ()),
    "brown": (("marrom",), ()),
    "turquoise": (("turquesa",), ()),
    "blue sky": (("de céu azul", "de céu"), ("no céu azul", "em um céu azul", "no céu")),
    "forest": (("de floresta",), ("na floresta", "em uma floresta")),
    "night": (("de noite", "noturno"), ("à noite", "de noite", "no céu noturno")),
    "sea": (("de mar",), ("no mar", "em frente ao mar")),
    "beach": (("de praia",), ("na praia", "em uma praia")),
    "desert": (("de deserto",), ("no deserto", "em um deserto")),
    "snow": (("de neve",), ("na neve",)),
    "sunset": (("de pôr do sol",), ("ao pôr do sol", "no pôr do sol")),
    "mountains": (("de montanhas",), ("nas montanhas", "em frente às montanhas")),
    "meadow": (("de campo", "de prado"), ("no campo", "em um prado")),
    "underwater": (("subaquático",), ("debaixo da água", "embaixo da água")),
    "space": (("de espaço", "espacial"), ("no espaço",)),
}

PLACE_PHRASES: dict[str, tuple[str, ...]] = {
    "centre": ("no meio", "no centro"),
    "left": ("à esquerda", "na esquerda", "do lado esquerdo"),
    "right": ("à direita", "na direita", "do lado direito"),
    "top": ("em cima", "no topo", "no alto"),
    "bottom": ("embaixo", "na parte de baixo"),
    "top left": ("no canto superior esquerdo", "em cima à esquerda"),
    "top right": ("no canto superior direito", "em cima à direita"),
    "bottom left": ("no canto inferior esquerdo", "embaixo à esquerda"),
    "bottom right": ("no canto inferior direito", "embaixo à direita"),
}
RELATION_PHRASES: dict[str, tuple[str, ...]] = {  # each is followed by "de"
    "left": ("à esquerda", "do lado esquerdo"),
    "right": ("à direita", "do lado direito"),
    "top": ("acima", "em cima"),
    "bottom": ("abaixo", "embaixo"),
}
MOTION_PHRASES: dict[str, tuple[str, ...]] = {
    "left": ("movendo-se para a esquerda", "indo para a esquerda", "voando para a esquerda", "vai para a esquerda"),
    "right": ("movendo-se para a direita", "indo para a direita", "voando para a direita", "vai para a direita"),
    "up": ("subindo", "movendo-se para cima", "voando para cima", "sobe"),
    "down": ("descendo", "caindo", "movendo-se para baixo", "desce", "cai"),
    "still": ("sem se mover", "imóvel"),
}
_SMALL = {"m": "pequeno", "f": "pequena", "fp": "pequenas"}
_BIG = {"m": "grande", "f": "grande", "fp": "grandes"}
_ENORMOUS = {"m": "enorme", "f": "enorme", "fp": "enormes"}
_SIZES = {"small": (_SMALL,), "normal": (), "big": (_BIG, _BIG, _ENORMOUS)}
_ARTICLES = {"m": ("um", "o"), "f": ("uma", "a"), "fp": ("umas", "as")}


def _pick(rng: np.random.Generator, options: tuple) -> str:
    return options[rng.integers(len(options))]


def _noun(rng: np.random.Generator, item: Placed, article: bool) -> str:
    noun = NOUNS[item.object]
    name = noun.names[0] if rng.random() < 0.6 else _pick(rng, noun.names)
    if _SIZES[item.size]:
        adjective = _pick(rng, _SIZES[item.size])[noun.gender]
        name = f"{name} {adjective}" if rng.random() < 0.65 else f"{adjective} {name}"
    return f"{_ARTICLES[noun.gender][rng.random() < 0.12]} {name}" if article else name


def _of(words: str) -> str:
    """`de` before a noun phrase, with its contraction."""
    article, _, rest = words.partition(" ")
    return f"d{article} {rest}" if article in ("o", "a", "as") else f"de {words}"


def _single(rng: np.random.Generator, item: Placed) -> str:
    noun = _noun(rng, item, article=rng.random() < 0.8)
    if item.place == "centre" and rng.random() < 0.6:
        return noun
    return f"{noun} {_pick(rng, PLACE_PHRASES[item.place])}"


def _pair(rng: np.random.Generator, items: tuple[Placed, ...]) -> str:
    first, second = items if rng.random() < 0.5 else items[::-1]
    article = rng.random() < 0.85
    a, b = _noun(rng, first, article), _noun(rng, second, article)
    if first.place == "left" and rng.random() < 0.25:  # the order is the place
        return f"{a} e {b}" if rng.random() < 0.75 else f"{a}, {b}"
    if rng.random() < 0.65:
        return f"{a} {_pick(rng, RELATION_PHRASES[first.place])} {_of(b)}"
    joint = " e " if rng.random() < 0.7 else ", "
    return f"{a} {_pick(rng, PLACE_PHRASES[first.place])}{joint}{b} {_pick(rng, PLACE_PHRASES[second.place])}"


def _scenery(rng: np.random.Generator, background: int) -> tuple[str, bool]:
    """The words, and whether they attach without a comma."""
    names, phrases = SCENERY[BACKGROUNDS[background].name]
    roll = rng.random()
    if phrases and roll < 0.5:
        return _pick(rng, phrases), True
    if roll < 0.85:
        return f"fundo {_pick(rng, names)}", False
    return f"em um fundo {_pick(rng, names)}", True


def portuguese_caption(scene: Scene, rng: np.random.Generator, background: bool = True) -> str:
    """One wording, lower case; as `captions.caption`, which keeps to the length."""
    body = _single(rng, scene.items[0]) if len(scene.items) == 1 else _pair(rng, scene.items)
    if scene.motion is not None and not (scene.motion == "still" and rng.random() < 0.5):
        body = f"{body} {_pick(rng, MOTION_PHRASES[scene.motion])}"
    if background:
        words, attaches = _scenery(rng, scene.background)
        if rng.random() < 0.1:
            body = f"{words}, {body}"
        else:
            body = f"{body} {words}" if attaches and rng.random() < 0.7 else f"{body}, {words}"
    return without_accents(body) if rng.random() < 0.2 else body


def without_accents(text: str) -> str:
    """As people type on a keyboard that lacks the letters."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
