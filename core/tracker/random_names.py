"""Make random ids and names."""

from __future__ import annotations

import random

_ADJECTIVES = """
amber ancient autumn azure bold brave breezy bright brisk calm cedar clear clever cobalt coral cosmic crimson
crisp curious daring dawn deep dusky eager early easy electric elegant emerald fair fancy fast feral fine
floral fluent frosty gentle giddy glad golden grand green happy hardy hazel hidden honest humble icy indigo
ivory jade jolly keen kind lavender light lively lucky lunar merry mighty misty mossy neat nimble noble
northern olive opal patient pearl polar proud quick quiet radiant rapid rosy royal ruby rustic sandy scarlet
serene sharp silent silver smooth snowy soft solar spring steady still sturdy summer sunny swift tidal
tranquil vast velvet vivid warm wild winter wise witty young zesty
""".split()
_NOUNS = """
aspen badger bay beacon birch bison bloom breeze brook canyon cedar cliff cloud comet condor coral cove crane
creek delta dolphin dune eagle ember falcon fern field finch fjord flame forest fox galaxy gale garden glacier
glade gorge grove gull harbor hare hawk heron hill ibis island jaguar kestrel lagoon lake lark leaf lynx maple
marsh meadow mesa moon moss moth mountain nebula oak oasis ocean orbit orca orchid osprey otter owl panda peak
pebble pine planet plateau pond poplar prairie puffin quartz rain raven reef ridge river robin sable salmon
seal shore sky snow sparrow spruce star stone storm stream summit sun swan thistle thunder tiger trail tulip
tundra valley violet wave willow wind wolf wren
""".split()

# Not the generator of `random`: a script that seeds it for training would get the same "random" id every time.
_random = random.SystemRandom()
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def random_id(length: int = 8) -> str:
    """Return `length` random characters a–z 0–9 (8 of them: 2.8e12 possible ids)."""
    return "".join(_random.choices(_ALPHABET, k=length))


def random_name() -> str:
    """Return a name such as `swift-heron-42`."""
    return f"{_random.choice(_ADJECTIVES)}-{_random.choice(_NOUNS)}-{_random.randrange(1, 1000)}"
