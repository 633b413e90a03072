"""English."""

from __future__ import annotations

from engine.world.language import Forms, Language, single_form

_IRREGULAR = {
    "mouse": "mice", "wolf": "wolves", "leaf": "leaves", "knife": "knives", "fish": "fish", "sheep": "sheep",
    "deer": "deer", "man": "men", "woman": "women", "tooth": "teeth", "bread": "breads", "die": "dice", "dice": "dice",
    "cherries": "cherries", "grapes": "grapes", "pancakes": "pancakes", "fries": "fries", "books": "books",
    "scissors": "scissors", "headphones": "headphones", "glasses": "glasses", "jeans": "jeans", "socks": "socks",
    "trousers": "trousers", "noodles": "noodles", "aircraft": "aircraft", "spacecraft": "spacecraft",
    "shrimp": "shrimp", "squid": "squid", "pufferfish": "pufferfish", "blowfish": "blowfish", "hippo": "hippos",
    "rhino": "rhinos", "avocado": "avocados", "flamingo": "flamingos", "kangaroo": "kangaroos", "dino": "dinos",
    "ufo": "ufos", "radio": "radios", "piano": "pianos", "taco": "tacos", "kiwi": "kiwis", "taxi": "taxis",
    "snowman": "snowmen", "scarf": "scarves", "volcano": "volcanoes", "cactus": "cactuses", "octopus": "octopuses",
}  # fmt: skip


_ALWAYS_MANY = ("grapes", "cherries", "pancakes", "fries", "books", "scissors", "headphones", "glasses", "jeans",
                "socks", "trousers", "noodles")  # fmt: skip


def plural(name: str) -> str:
    """Of "glass of milk" the first word, else the last."""
    if " of " in name:
        head, rest = name.split(" of ", 1)
        return f"{plural(head)} of {rest}"
    *before, word = name.split(" ")
    if word in _IRREGULAR:
        word = _IRREGULAR[word]
    elif word.endswith(("s", "x", "ch", "sh", "z")):
        word += "es"
    elif word.endswith("y") and word[-2:-1] not in "aeiou":
        word = word[:-1] + "ies"
    elif word.endswith(("ato", "ado", "uito")):
        word += "es"
    else:
        word += "s"
    return " ".join([*before, word])


def article(phrase: str) -> str:
    if phrase.endswith(_ALWAYS_MANY):
        return phrase
    return f"{'an' if phrase[0] in 'aeiou' and not phrase.startswith(('uni', 'ufo')) else 'a'} {phrase}"


def _same(*words: str) -> tuple[Forms, ...]:
    return tuple(single_form(word) for word in words)


ENGLISH = Language(
    code="en", adjective_first=True, indefinite=single_form("a"), definite=single_form("the"),
    numbers=_same("one", "two", "three", "four", "five", "six"),
    colours={c: _same(c) for c in ("red", "orange", "yellow", "green", "blue", "pink", "brown", "black", "white")}
    | {"turquoise": _same("turquoise", "teal", "cyan"), "purple": _same("purple", "violet"),
       "gray": _same("gray", "grey")},
    sizes={"small": _same("small", "small", "tiny", "little", "mini"), "normal": (),
           "big": _same("big", "big", "large", "huge", "giant", "enormous")},
    plural=plural, article=article,
    places={
        "centre": ("in the middle", "in the centre", "in the center"),
        "left": ("on the left", "at the left", "on the left side"),
        "right": ("on the right", "at the right", "on the right side"),
        "top": ("at the top", "on top"), "bottom": ("at the bottom", "on the bottom"),
        "top left": ("at the top left", "in the top left corner", "in the upper left corner"),
        "top right": ("at the top right", "in the top right corner", "in the upper right corner"),
        "bottom left": ("at the bottom left", "in the bottom left corner", "in the lower left corner"),
        "bottom right": ("at the bottom right", "in the bottom right corner", "in the lower right corner"),
    },
    relations={"left": ("left of", "to the left of", "on the left of"),
               "right": ("right of", "to the right of", "on the right of"),
               "top": ("above", "over", "on top of"), "bottom": ("below", "under", "beneath")},
    both="and", without=("without",), but_no=("but no", "and no"),
    backdrop=("% background", "% background", "%"), on_backdrop=("on a % background", "in front of a % background"),
    sceneries={
        "white": (("white",), ()), "black": (("black",), ()), "gray": (("gray", "grey"), ()), "red": (("red",), ()),
        "orange": (("orange",), ()), "yellow": (("yellow",), ()), "green": (("green",), ()), "blue": (("blue",), ()),
        "purple": (("purple", "violet"), ()), "pink": (("pink",), ()), "brown": (("brown",), ()),
        "turquoise": (("turquoise", "teal", "cyan"), ()), "beige": (("beige",), ()),
        "light blue": (("light blue",), ()),
        "blue sky": (("blue sky", "sky"), ("in a blue sky", "in the blue sky", "in the sky", "in front of a blue sky")),
        "forest": (("forest", "woods"), ("in a forest", "in the forest", "in the woods", "in front of a forest")),
        "night": (("night", "night sky", "starry night"), ("at night", "in the night", "under a night sky")),
        "sea": (("sea", "ocean"), ("at sea", "on the sea", "on the ocean", "in front of the sea")),
        "beach": (("beach", "seaside"), ("on a beach", "at the beach", "on the beach")),
        "desert": (("desert",), ("in a desert", "in the desert")),
        "snow": (("snow", "winter", "snowy"), ("in the snow", "in snow", "in winter")),
        "sunset": (("sunset", "dusk"), ("at sunset", "in front of a sunset", "at dusk")),
        "mountains": (("mountains", "mountain"), ("in the mountains", "in front of mountains")),
        "meadow": (("meadow", "field", "grass"), ("on a meadow", "in a meadow", "in a field", "on the grass")),
        "underwater": (("underwater",), ("underwater", "under water")),
        "space": (("space", "outer space", "galaxy"), ("in space", "in outer space")),
        "city": (("city", "town"), ("in the city", "in a city", "in town")),
        "street": (("street", "road"), ("on the street", "on a road", "in the street", "on the road")),
        "room": (("room", "indoors"), ("in a room", "in the room", "indoors", "at home")),
        "garden": (("garden", "park"), ("in a garden", "in the garden", "in a park")),
        "jungle": (("jungle", "rainforest"), ("in the jungle", "in a jungle")),
        "lake": (("lake", "pond"), ("on a lake", "on the lake", "at the lake")),
        "river": (("river",), ("at a river", "in the river", "by the river")),
        "volcano": (("volcano", "lava"), ("in front of a volcano", "on a volcano")),
        "rain": (("rain", "rainy"), ("in the rain", "in rain")),
        "fog": (("fog", "foggy", "mist"), ("in the fog", "in fog")),
        "storm": (("storm", "thunderstorm"), ("in a storm", "in the storm")),
        "clouds": (("clouds", "cloudy", "cloudy sky"), ("in the clouds", "above the clouds")),
        "sunrise": (("sunrise", "dawn", "morning"), ("at sunrise", "at dawn", "in the morning")),
        "autumn": (("autumn", "fall"), ("in autumn", "in the fall")),
    },
    styles={
        "flat": ("flat illustration of %", "%, flat", "%, flat style", "flat design of %"),
        "line art": ("line art of %", "line drawing of %", "%, line art", "sketch of %"),
        "pixel art": ("pixel art of %", "%, pixel art", "% in pixel art style"),
        "watercolour": ("watercolor painting of %", "watercolour of %", "%, watercolor", "% in watercolor"),
        "oil painting": ("oil painting of %", "%, oil painting", "% painted in oil"),
        "3d": ("3d render of %", "%, 3d", "% in 3d"),
        "neon": ("neon %", "%, neon", "% in neon light", "neon sign of %"),
    },
    of=lambda phrase: phrase,
)  # fmt: skip
