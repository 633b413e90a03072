"""Spanish."""

from __future__ import annotations

from engine.world.language import Language, o_form, single_form, two_forms

_ACCENTED = {"á": "a", "é": "e", "í": "i", "ó": "o", "ú": "u"}


def plural_word(word: str) -> str:
    if word.endswith("z"):
        return word[:-1] + "ces"
    if word[-1] in "aeioué":
        return word + "s"
    if word.endswith("y"):
        return word + "es"
    if word[-2:-1] in _ACCENTED and word[-1] in "ns":  # león, leones; autobús, autobuses
        return word[:-2] + _ACCENTED[word[-2]] + word[-1] + "es"
    if word[-1] in "áíóú":
        return word + "s"
    return word if word.endswith("s") else word + "es"


def plural(name: str) -> str:
    """Noun and adjectives, up to a "de"."""
    head, separator, rest = name.partition(" de ")
    return " ".join(plural_word(word) for word in head.split(" ")) + separator + rest


def of(phrase: str) -> str:
    article, _, rest = phrase.partition(" ")
    return f"del {rest}" if article == "el" else f"de {phrase}"


_BIG, _HUGE = two_forms("grande", "grandes"), two_forms("enorme", "enormes")

SPANISH = Language(
    code="es", adjective_first=False,
    indefinite={"m": "un", "f": "una", "mp": "unos", "fp": "unas"},
    definite={"m": "el", "f": "la", "mp": "los", "fp": "las"},
    numbers=(
        {"m": "un", "f": "una", "mp": "un", "fp": "una"},
        *(single_form(n) for n in ("dos", "tres", "cuatro", "cinco", "seis")),
    ),
    colours={
        "red": (o_form("roj"),), "orange": (single_form("naranja"),), "yellow": (o_form("amarill"),),
        "green": (two_forms("verde", "verdes"),), "turquoise": (single_form("turquesa"),),
        "blue": (two_forms("azul", "azules"),), "purple": (o_form("morad"), two_forms("violeta", "violetas")),
        "pink": (single_form("rosa"), o_form("rosad")), "brown": (two_forms("marrón", "marrones"),),
        "black": (o_form("negr"),), "white": (o_form("blanc"),), "gray": (two_forms("gris", "grises"),),
    },
    sizes={"small": (o_form("pequeñ"), o_form("pequeñ"), o_form("diminut")), "normal": (),
           "big": (_BIG, _BIG, _HUGE, two_forms("gigante", "gigantes"))},
    plural=plural,
    places={
        "centre": ("en el medio", "en el centro"), "left": ("a la izquierda", "en el lado izquierdo"),
        "right": ("a la derecha", "en el lado derecho"), "top": ("arriba", "en la parte superior"),
        "bottom": ("abajo", "en la parte inferior"),
        "top left": ("en la esquina superior izquierda", "arriba a la izquierda"),
        "top right": ("en la esquina superior derecha", "arriba a la derecha"),
        "bottom left": ("en la esquina inferior izquierda", "abajo a la izquierda"),
        "bottom right": ("en la esquina inferior derecha", "abajo a la derecha"),
    },
    relations={"left": ("a la izquierda",), "right": ("a la derecha",), "top": ("encima", "arriba"),
               "bottom": ("debajo", "abajo")},
    both="y", without=("sin",), but_no=("pero sin", "y ningún"),
    backdrop=("fondo %",), on_backdrop=("sobre un fondo %", "con fondo %"),
    sceneries={
        "white": (("blanco",), ()), "black": (("negro",), ()), "gray": (("gris",), ()), "red": (("rojo",), ()),
        "orange": (("naranja",), ()), "yellow": (("amarillo",), ()), "green": (("verde",), ()), "blue": (("azul",), ()),
        "purple": (("morado", "violeta"), ()), "pink": (("rosa",), ()), "brown": (("marrón",), ()),
        "turquoise": (("turquesa",), ()), "beige": (("beige",), ()), "light blue": (("azul claro", "celeste"), ()),
        "blue sky": (("de cielo azul", "de cielo"), ("en el cielo azul", "en el cielo")),
        "forest": (("de bosque",), ("en el bosque", "en un bosque")),
        "night": (("de noche", "nocturno"), ("de noche", "en la noche", "por la noche")),
        "sea": (("de mar",), ("en el mar", "en el océano")),
        "beach": (("de playa",), ("en la playa", "en una playa")),
        "desert": (("de desierto",), ("en el desierto", "en un desierto")),
        "snow": (("de nieve",), ("en la nieve", "en invierno")),
        "sunset": (("de puesta de sol", "de atardecer"), ("al atardecer", "en la puesta de sol")),
        "mountains": (("de montañas",), ("en las montañas", "en la montaña")),
        "meadow": (("de prado", "de campo"), ("en el prado", "en el campo", "en la hierba")),
        "underwater": (("submarino",), ("bajo el agua", "debajo del agua")),
        "space": (("de espacio", "espacial"), ("en el espacio",)),
        "city": (("de ciudad",), ("en la ciudad", "en una ciudad")),
        "street": (("de calle",), ("en la calle", "en la carretera")),
        "room": (("de habitación",), ("en la habitación", "en un cuarto", "en casa")),
        "garden": (("de jardín",), ("en el jardín", "en el parque")),
        "jungle": (("de selva",), ("en la selva", "en la jungla")),
        "lake": (("de lago",), ("en el lago", "en un lago")),
        "river": (("de río",), ("en el río", "en un río")),
        "volcano": (("de volcán",), ("en el volcán", "frente a un volcán")),
        "rain": (("de lluvia",), ("bajo la lluvia", "en la lluvia")),
        "fog": (("de niebla",), ("en la niebla",)),
        "storm": (("de tormenta",), ("en la tormenta", "en una tormenta")),
        "clouds": (("nublado", "de nubes"), ("en las nubes", "en el cielo nublado")),
        "sunrise": (("de amanecer",), ("al amanecer",)),
        "autumn": (("de otoño",), ("en otoño", "en el otoño")),
    },
    styles={
        "flat": ("ilustración plana de %", "%, estilo plano"),
        "line art": ("dibujo de línea de %", "%, dibujo de línea", "boceto de %"),
        "pixel art": ("pixel art de %", "%, pixel art", "% en pixel art"),
        "watercolour": ("acuarela de %", "%, acuarela", "% en acuarela"),
        "oil painting": ("pintura al óleo de %", "%, pintura al óleo"),
        "3d": ("% en 3d", "%, 3d"),
        "neon": ("% neón", "%, neón", "% en neón"),
    },
    of=of,
)  # fmt: skip
