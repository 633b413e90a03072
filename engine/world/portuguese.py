"""Brazilian Portuguese."""

from __future__ import annotations

from engine.world.language import Language, o_form, single_form, two_forms

_IRREGULAR = {"cão": "cães", "pão": "pães", "mão": "mãos", "mel": "méis", "ônibus": "ônibus", "lápis": "lápis"}


def plural_word(word: str) -> str:
    for ending, instead in (("ão", "ões"), ("m", "ns"), ("el", "éis"), ("ol", "óis"), ("al", "ais"), ("ul", "uis"),
                            ("il", "is"), ("ês", "eses")):  # fmt: skip
        if word in _IRREGULAR:
            return _IRREGULAR[word]
        if word.endswith(ending):
            return word.removesuffix(ending) + instead
    if word.endswith(("r", "z")):
        return word + "es"
    return word if word.endswith(("s", "x")) else word + "s"


def plural(name: str) -> str:
    """Noun and adjectives, up to a "de"."""
    head, separator, rest = name.partition(" de ")
    return " ".join(plural_word(word) for word in head.split(" ")) + separator + rest


def of(phrase: str) -> str:
    article, _, rest = phrase.partition(" ")
    return f"d{article} {rest}" if article in ("o", "a", "os", "as") else f"de {phrase}"


_BIG, _HUGE = two_forms("grande", "grandes"), two_forms("enorme", "enormes")

PORTUGUESE = Language(
    code="pt", adjective_first=False,
    indefinite={"m": "um", "f": "uma", "mp": "uns", "fp": "umas"},
    definite={"m": "o", "f": "a", "mp": "os", "fp": "as"},
    numbers=(
        {"m": "um", "f": "uma", "mp": "um", "fp": "uma"}, {"m": "dois", "f": "duas", "mp": "dois", "fp": "duas"},
        *(single_form(n) for n in ("três", "quatro", "cinco", "seis")),
    ),
    colours={
        "red": (o_form("vermelh"),), "orange": (single_form("laranja"),), "yellow": (o_form("amarel"),),
        "green": (two_forms("verde", "verdes"),), "turquoise": (single_form("turquesa"),),
        "blue": (two_forms("azul", "azuis"),), "purple": (o_form("rox"),), "pink": (single_form("rosa"),),
        "brown": (two_forms("marrom", "marrons"),), "black": (o_form("pret"),), "white": (o_form("branc"),),
        "gray": (single_form("cinza"),),
    },
    sizes={"small": (o_form("pequen"), o_form("pequen"), o_form("minúscul")), "normal": (),
           "big": (_BIG, _BIG, _HUGE, two_forms("gigante", "gigantes"))},
    plural=plural,
    places={
        "centre": ("no meio", "no centro"), "left": ("à esquerda", "na esquerda", "do lado esquerdo"),
        "right": ("à direita", "na direita", "do lado direito"), "top": ("em cima", "no topo", "no alto"),
        "bottom": ("embaixo", "na parte de baixo"),
        "top left": ("no canto superior esquerdo", "em cima à esquerda"),
        "top right": ("no canto superior direito", "em cima à direita"),
        "bottom left": ("no canto inferior esquerdo", "embaixo à esquerda"),
        "bottom right": ("no canto inferior direito", "embaixo à direita"),
    },
    relations={"left": ("à esquerda", "do lado esquerdo"), "right": ("à direita", "do lado direito"),
               "top": ("acima", "em cima"), "bottom": ("abaixo", "embaixo")},
    both="e", without=("sem",), but_no=("mas sem", "e nenhum"),
    backdrop=("fundo %",), on_backdrop=("em um fundo %", "com fundo %"),
    sceneries={
        "white": (("branco",), ()), "black": (("preto",), ()), "gray": (("cinza",), ()), "red": (("vermelho",), ()),
        "orange": (("laranja",), ()), "yellow": (("amarelo",), ()), "green": (("verde",), ()), "blue": (("azul",), ()),
        "purple": (("roxo",), ()), "pink": (("rosa",), ()), "brown": (("marrom",), ()),
        "turquoise": (("turquesa",), ()), "beige": (("bege",), ()), "light blue": (("azul claro",), ()),
        "blue sky": (("de céu azul", "de céu"), ("no céu azul", "em um céu azul", "no céu")),
        "forest": (("de floresta",), ("na floresta", "em uma floresta", "no bosque")),
        "night": (("de noite", "noturno"), ("à noite", "de noite", "no céu noturno")),
        "sea": (("de mar",), ("no mar", "em frente ao mar", "no oceano")),
        "beach": (("de praia",), ("na praia", "em uma praia")),
        "desert": (("de deserto",), ("no deserto", "em um deserto")),
        "snow": (("de neve",), ("na neve", "no inverno")),
        "sunset": (("de pôr do sol",), ("ao pôr do sol", "no pôr do sol")),
        "mountains": (("de montanhas",), ("nas montanhas", "em frente às montanhas")),
        "meadow": (("de campo", "de prado"), ("no campo", "em um prado", "na grama")),
        "underwater": (("subaquático",), ("debaixo da água", "embaixo da água")),
        "space": (("de espaço", "espacial"), ("no espaço",)),
        "city": (("de cidade",), ("na cidade", "em uma cidade")),
        "street": (("de rua",), ("na rua", "na estrada")),
        "room": (("de sala",), ("na sala", "em um quarto", "em casa")),
        "garden": (("de jardim",), ("no jardim", "no parque")),
        "jungle": (("de selva",), ("na selva", "em uma selva")),
        "lake": (("de lago",), ("no lago", "em um lago")),
        "river": (("de rio",), ("no rio", "em um rio")),
        "volcano": (("de vulcão",), ("em frente ao vulcão", "em um vulcão")),
        "rain": (("de chuva",), ("na chuva",)),
        "fog": (("de neblina",), ("na neblina", "no nevoeiro")),
        "storm": (("de tempestade",), ("na tempestade", "em uma tempestade")),
        "clouds": (("nublado", "de nuvens"), ("nas nuvens", "no céu nublado")),
        "sunrise": (("de amanhecer", "de nascer do sol"), ("ao amanhecer", "ao nascer do sol")),
        "autumn": (("de outono",), ("no outono",)),
    },
    styles={
        "flat": ("ilustração plana de %", "%, estilo plano"),
        "line art": ("desenho de linha de %", "%, desenho de linha", "esboço de %"),
        "pixel art": ("pixel art de %", "%, pixel art", "% em pixel art"),
        "watercolour": ("aquarela de %", "%, aquarela", "% em aquarela"),
        "oil painting": ("pintura a óleo de %", "%, pintura a óleo"),
        "3d": ("% em 3d", "%, 3d"),
        "neon": ("% neon", "%, neon", "% em neon"),
    },
    of=of,
)  # fmt: skip
