from tracker import *  # noqa: F403
from tracker import __version__ as __version__
from tracker import run as run
