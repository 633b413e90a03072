"""Which words of a prompt a model does not know, and what it knows nearby.

For models with a closed vocabulary (``ModelInfo.vocabulary``). A word is near by meaning, from a short list made by
hand, or by spelling (Ratcliff and Obershelp's ratio, as ``difflib`` computes it).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import msgspec

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
MOST_NEAR = 3
LIKENESS = 0.72  # from this ratio on, two spellings are near

# Groups of things that one would accept for another.
_KIN = """
dragon dinosaur dino lizard crocodile
crocodile dinosaur turtle
duck swan goose chicken hen chick penguin
horse unicorn pony
camel giraffe elephant
snake lizard turtle frog
shark dolphin whale fish
alien ufo robot
bicycle bike motorcycle car
helicopter airplane plane
guitar violin drum piano
cat kitten kitty feline tomcat lion tiger leopard
dog puppy hound wolf fox
rabbit bunny hare
mouse rat hamster squirrel
bear panda koala teddy
horse pony unicorn donkey zebra
pig boar piglet
cow bull ox
sheep goat lamb
monkey ape gorilla chimpanzee
bird parrot eagle owl swan duck chicken hen chick penguin goose sparrow
frog toad turtle tortoise lizard snake crocodile dinosaur dragon
fish dolphin whale shark seal octopus squid crab lobster
bee wasp fly butterfly moth ladybug ladybird beetle ant spider
car automobile taxi vehicle truck lorry van bus tractor
bicycle bike motorcycle scooter
train locomotive tram
plane airplane aeroplane jet helicopter rocket spaceship spacecraft ufo
boat ship sailboat yacht canoe
house home cottage hut cabin castle palace tower
tree pine fir palm oak cactus
flower rose tulip sunflower daisy
apple pear peach cherry cherries strawberry raspberry
orange lemon lime tangerine
grapes berries melon watermelon pineapple mango banana
carrot tomato pepper avocado broccoli
mushroom toadstool
bread cake cookie donut doughnut pie
burger hamburger cheeseburger sandwich pizza
coffee tea milk cup mug
ball football soccer basketball baseball
gift present box
star sun moon planet
heart love
hat cap crown helmet
key lock
guitar violin drum piano
camera photo
clock watch alarm
robot android alien ghost monster
diamond gem jewel crystal
red scarlet crimson ruby
blue azure navy cyan turquoise teal
green emerald lime
yellow gold golden
purple violet lilac magenta
pink rose
brown beige tan
white ivory
black dark
gray grey silver
sky heaven blue
forest woods jungle
sea ocean water underwater lake river
beach shore coast sand desert
snow winter ice
sunset sunrise dusk dawn evening
mountains mountain hill hills
meadow field grass garden park
night midnight evening
space galaxy universe cosmos
city town street
big large huge giant enormous great
small tiny little mini
left right top bottom
above over below under beneath
"""


def _kin() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in _KIN.strip().splitlines():
        words = line.split()
        for word in words:
            found.setdefault(word, []).extend(other for other in words if other != word)
    return {word: tuple(dict.fromkeys(others)) for word, others in found.items()}


KIN = _kin()


class UnknownWord(msgspec.Struct, frozen=True):
    """``word`` in lower case; ``near`` the nearest known words, best first, none where nothing is near."""

    word: str
    near: tuple[str, ...]


def words_of(text: str) -> list[str]:
    """The words of ``text`` in lower case."""
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]


def unknown_words(text: str, vocabulary: Iterable[str]) -> tuple[UnknownWord, ...]:
    """Every word of ``text`` that is in no entry of ``vocabulary``, once, in the order of the text."""
    known = frozenset(part for entry in vocabulary for part in words_of(entry))
    if not known:
        return ()
    strangers = dict.fromkeys(word for word in words_of(text) if word not in known)
    return tuple(UnknownWord(word, nearest(word, known)) for word in strangers)


def nearest(word: str, known: frozenset[str]) -> tuple[str, ...]:
    """At most ``MOST_NEAR`` of ``known``: the other number or a typing error first, then kin, then like spellings."""
    forms = [form for form in _forms(word) if form in known]
    spelled = difflib.get_close_matches(word, sorted(known), MOST_NEAR, LIKENESS) if len(word) > 2 else []
    typed = [other for other in spelled if difflib.SequenceMatcher(None, word, other).ratio() > 0.85]
    kin = [other for form in (word, *_forms(word)) for other in KIN.get(form, ()) if other in known]
    return tuple(dict.fromkeys([*forms, *typed, *kin, *spelled]))[:MOST_NEAR]


def _forms(word: str) -> list[str]:
    """Singular and plural of ``word``, as regular English has them."""
    found = [word + "s", word + "es"]
    for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            found.append(word.removesuffix(ending) + instead)
    return found
