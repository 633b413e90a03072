"""What the embedded models know: the objects, backgrounds, places, sizes and motions of the closed domain.

Order is identity: an object's index is its class in every layout loss and checkpoint. So the lists only ever grow at
their end. A run trains on a subset (`Domain.objects`); the vocabulary (`vocabulary.py`) already covers all of it, so
that later training can add objects without touching a tokenizer.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SceneObject:
    """One drawable thing. `names[0]` is the canonical name; all names mean the same picture."""

    glyph: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.names[0]


@dataclass(frozen=True)
class SceneBackground:
    """`kind` selects the painter in `backgrounds.py`; `rgb` is the colour of a plain one."""

    name: str
    kind: str
    rgb: tuple[int, int, int] = (0, 0, 0)
    phrases: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    @property
    def scenic(self) -> bool:
        return self.kind != "plain"


def _objects(text: str) -> tuple[SceneObject, ...]:
    rows = (line.split(maxsplit=1) for line in text.strip().splitlines())
    return tuple(SceneObject(glyph, tuple(n.strip() for n in names.split("|"))) for glyph, names in rows)


OBJECTS: tuple[SceneObject, ...] = _objects("""
🍎 red apple|apple
🦉 owl
🚀 rocket|spaceship
🏠 house|home
🐱 cat|kitty|kitten
🐰 rabbit|bunny|hare
🚗 red car|car|automobile
⭐ star
❤ red heart|heart
🐸 frog|toad
🐧 penguin
🍌 banana
🍓 strawberry
🍄 mushroom|toadstool
🌵 cactus
⚽ football|soccer ball|soccer
🏀 basketball
🎁 gift|present|gift box
🎈 balloon|red balloon
🐻 bear|brown bear
🦊 fox
🐷 pig|piglet
🐼 panda|panda bear
🐝 bee
🦋 butterfly
🐟 fish
🌙 moon|crescent moon
☀ sun
🌲 tree|fir tree|pine tree
🍩 donut|doughnut
🍕 pizza
🚌 bus
🐶 dog|puppy|doggy
🦁 lion
🐯 tiger
🐵 monkey|ape
🐘 elephant
🐢 turtle|tortoise
🐙 octopus
🐬 dolphin
🐳 whale
🦀 crab
🐞 ladybug|ladybird
🦄 unicorn
🐔 chicken|hen
🐤 chick
🦖 dinosaur|dino
🍏 green apple
🍊 orange
🍋 lemon
🍇 grapes|bunch of grapes
🍉 watermelon
🍒 cherries
🍍 pineapple
🥑 avocado
🥕 carrot
🍔 burger|hamburger|cheeseburger
🎂 cake|birthday cake
🍦 ice cream
☕ coffee
🌻 sunflower
🌷 tulip
🌹 rose|red rose
🚙 blue car
🚜 tractor
🚲 bicycle|bike
🚂 train|locomotive
✈ airplane|plane|aeroplane|aircraft
🚁 helicopter
⛵ sailboat|boat|sailing boat
🛸 ufo|flying saucer|spacecraft
🏰 castle
⛄ snowman
💙 blue heart
💚 green heart
💜 purple heart
👑 crown|golden crown
🎩 top hat|hat
☂ umbrella
💡 light bulb|bulb
🔑 key
🎸 guitar
🥁 drum
📷 camera
⏰ alarm clock|clock
🤖 robot
👻 ghost
👽 alien
🎃 pumpkin
💎 diamond|gem|jewel
🌈 rainbow
☁ cloud
🔥 fire|flame|campfire
🧸 teddy bear
""")

BACKGROUNDS: tuple[SceneBackground, ...] = (
    SceneBackground("white", "plain", (248, 248, 248)),
    SceneBackground("black", "plain", (16, 16, 18)),
    SceneBackground("gray", "plain", (150, 152, 156), aliases=("grey",)),
    SceneBackground("red", "plain", (214, 58, 54)),
    SceneBackground("orange", "plain", (250, 148, 50)),
    SceneBackground("yellow", "plain", (252, 216, 72)),
    SceneBackground("green", "plain", (74, 168, 88)),
    SceneBackground("blue", "plain", (52, 88, 208)),
    SceneBackground("purple", "plain", (120, 64, 172), aliases=("violet",)),
    SceneBackground("pink", "plain", (248, 160, 192)),
    SceneBackground("brown", "plain", (128, 84, 54)),
    SceneBackground("turquoise", "plain", (64, 196, 190), aliases=("teal", "cyan")),
    SceneBackground("blue sky", "sky", aliases=("sky",),
               phrases=("in a blue sky", "in front of a blue sky", "in the blue sky", "in the sky")),
    SceneBackground("forest", "forest", aliases=("woods",),
               phrases=("in a forest", "in the forest", "in front of a forest", "in the woods")),
    SceneBackground("night", "night", aliases=("night sky", "starry night"),
               phrases=("at night", "in the night", "under a night sky")),
    SceneBackground("sea", "sea", aliases=("ocean",),
               phrases=("at sea", "on the sea", "in front of the sea", "on the ocean", "at the ocean")),
    SceneBackground("beach", "beach", aliases=("seaside",), phrases=("on a beach", "at the beach", "on the beach")),
    SceneBackground("desert", "desert", phrases=("in a desert", "in the desert")),
    SceneBackground("snow", "snow", aliases=("winter", "snowy"), phrases=("in the snow", "in snow")),
    SceneBackground("sunset", "sunset", aliases=("dusk",), phrases=("at sunset", "in front of a sunset", "at dusk")),
    SceneBackground("mountains", "mountains", aliases=("mountain",),
               phrases=("in the mountains", "in front of mountains", "in front of a mountain")),
    SceneBackground("meadow", "meadow", aliases=("field", "grass"),
               phrases=("on a meadow", "in a meadow", "in a field", "on the grass")),
    SceneBackground("underwater", "underwater", phrases=("underwater", "under water")),
    SceneBackground("space", "space", aliases=("outer space", "galaxy"), phrases=("in space", "in outer space")),
)  # fmt: skip

SIZES: tuple[str, ...] = ("small", "normal", "big")
SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": ("small", "tiny", "little", "mini"),
    "normal": (),
    "big": ("big", "large", "huge", "giant", "enormous"),
}

PLACES: tuple[str, ...] = (
    "centre", "left", "right", "top", "bottom", "top left", "top right", "bottom left", "bottom right",
)  # fmt: skip

RELATIONS: tuple[str, ...] = ("left of", "right of", "above", "below")

MOTIONS: tuple[str, ...] = ("left", "right", "up", "down", "still")

OBJECT_INDEX = {o.name: i for i, o in enumerate(OBJECTS)}
BACKGROUND_INDEX = {b.name: i for i, b in enumerate(BACKGROUNDS)}
