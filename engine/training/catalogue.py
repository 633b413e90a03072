"""What the embedded models know: the objects, backgrounds, places, sizes and motions of the closed domain.

Order is identity: an object's index is its class in every layout loss and checkpoint, and a word's index is its
token. So both lists only ever grow at their end. A run trains on a subset (`Run.objects`); the vocabulary already
covers all of it, so that later training can add objects without touching a tokenizer.
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
class Background:
    """`kind` selects the painter in `backgrounds.py`; `rgb` is the colour of a plain one."""

    name: str
    kind: str
    rgb: tuple[int, int, int] = (0, 0, 0)
    phrases: tuple[str, ...] = ()

    @property
    def scenic(self) -> bool:
        return self.kind != "plain"


def _objects(text: str) -> tuple[SceneObject, ...]:
    rows = (line.split(maxsplit=1) for line in text.strip().splitlines())
    return tuple(SceneObject(glyph, tuple(n.strip() for n in names.split("|"))) for glyph, names in rows)


OBJECTS: tuple[SceneObject, ...] = _objects("""
🍎 red apple|apple
🦉 owl
🚀 rocket
🏠 house
🐱 cat
🐰 rabbit|bunny
🚗 red car|car
⭐ star
❤ red heart|heart
🐸 frog
🐧 penguin
🍌 banana
🍓 strawberry
🍄 mushroom
🌵 cactus
⚽ football|soccer ball
🏀 basketball
🎁 gift|present
🎈 balloon|red balloon
🐻 bear
🦊 fox
🐷 pig
🐼 panda
🐝 bee
🦋 butterfly
🐟 fish
🌙 moon
☀ sun
🌲 tree
🍩 donut
🍕 pizza
🚌 bus
🐶 dog
🦁 lion
🐯 tiger
🐵 monkey
🐘 elephant
🐢 turtle
🐙 octopus
🐬 dolphin
🐳 whale
🦀 crab
🐞 ladybug
🦄 unicorn
🐔 chicken
🐤 chick
🦖 dinosaur
🍏 green apple
🍊 orange
🍋 lemon
🍇 grapes
🍉 watermelon
🍒 cherries
🍍 pineapple
🥑 avocado
🥕 carrot
🍔 burger|hamburger
🎂 cake|birthday cake
🍦 ice cream
☕ coffee
🌻 sunflower
🌷 tulip
🌹 rose
🚙 blue car
🚜 tractor
🚲 bicycle|bike
🚂 train
✈ airplane|plane
🚁 helicopter
⛵ sailboat|boat
🛸 ufo|flying saucer
🏰 castle
⛄ snowman
💙 blue heart
💚 green heart
💜 purple heart
👑 crown
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
💎 diamond|gem
🌈 rainbow
☁ cloud
🔥 fire|flame
🧸 teddy bear
""")

BACKGROUNDS: tuple[Background, ...] = (
    Background("white", "plain", (248, 248, 248)),
    Background("black", "plain", (16, 16, 18)),
    Background("gray", "plain", (150, 152, 156)),
    Background("red", "plain", (214, 58, 54)),
    Background("orange", "plain", (250, 148, 50)),
    Background("yellow", "plain", (252, 216, 72)),
    Background("green", "plain", (74, 168, 88)),
    Background("blue", "plain", (52, 88, 208)),
    Background("purple", "plain", (120, 64, 172)),
    Background("pink", "plain", (248, 160, 192)),
    Background("brown", "plain", (128, 84, 54)),
    Background("turquoise", "plain", (64, 196, 190)),
    Background("blue sky", "sky", phrases=("in a blue sky", "in front of a blue sky", "in the blue sky")),
    Background("forest", "forest", phrases=("in a forest", "in the forest", "in front of a forest")),
    Background("night", "night", phrases=("at night", "in the night", "under a night sky")),
    Background("sea", "sea", phrases=("at sea", "on the sea", "in front of the sea")),
    Background("beach", "beach", phrases=("on a beach", "at the beach", "on the beach")),
    Background("desert", "desert", phrases=("in a desert", "in the desert")),
    Background("snow", "snow", phrases=("in the snow", "in snow")),
    Background("sunset", "sunset", phrases=("at sunset", "in front of a sunset")),
    Background("mountains", "mountains", phrases=("in the mountains", "in front of mountains")),
    Background("meadow", "meadow", phrases=("on a meadow", "in a meadow")),
    Background("underwater", "underwater", phrases=("underwater", "under water")),
    Background("space", "space", phrases=("in space", "in outer space")),
)

SIZES: tuple[str, ...] = ("small", "normal", "big")
SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": ("small", "tiny", "little"),
    "normal": (),
    "big": ("big", "large", "huge"),
}

PLACES: tuple[str, ...] = (
    "centre", "left", "right", "top", "bottom", "top left", "top right", "bottom left", "bottom right",
)  # fmt: skip

RELATIONS: tuple[str, ...] = ("left of", "right of", "above", "below")

MOTIONS: tuple[str, ...] = ("left", "right", "up", "down", "still")

# Words of captions that name no object, background or size.
_FUNCTION_WORDS = """
a an the , . ; : - ! and with of on in at to from by near beside next under over front behind is are there it its
left right top bottom centre center middle corner side upper lower above below up down upwards downwards
background scene picture photo image painting drawing video clip animation
moves moving move flies flying fly goes going go drifts drifting slides sliding rises rising falls falling sinks
stays staying still standing stands sits sitting motionless not grows growing shrinks shrinking bigger smaller
two three one no many color colour colored coloured bright dark light nice cute beautiful simple plain towards toward
across slowly quickly fast while
"""

_SPARE_WORDS = """
parrot bird duck swan eagle snake horse cow sheep goat mouse hamster wolf deer zebra giraffe camel kangaroo koala
snail ant spider shark seal peach pear kiwi mango coconut tomato corn broccoli bread cheese egg cookie candy
chocolate tea milk flower leaf truck taxi tent bridge tower city street garden field river lake hill volcano island
rain storm fog autumn spring winter summer morning evening teal magenta lime gold silver navy violet sad happy
"""


def _words() -> tuple[str, ...]:
    seen: dict[str, None] = {}
    texts = [_FUNCTION_WORDS]
    texts += [n for o in OBJECTS for n in o.names]
    texts += [t for b in BACKGROUNDS for t in (b.name, *b.phrases)]
    texts += [w for s in SIZES for w in (s, *SIZE_WORDS[s])]
    texts.append(_SPARE_WORDS)
    for text in texts:
        seen.update(dict.fromkeys(text.split()))
    return tuple(seen)


WORDS: tuple[str, ...] = _words()

OBJECT_INDEX = {o.name: i for i, o in enumerate(OBJECTS)}
BACKGROUND_INDEX = {b.name: i for i, b in enumerate(BACKGROUNDS)}
