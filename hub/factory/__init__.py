"""The composition root: the only place that knows all rooms and joins them.

The web stands apart, in ``hub.factory.app``: commands and workers start without it.
"""

from hub.factory.initial import prepare
from hub.factory.parts import Hub, assemble

__all__ = ["Hub", "assemble", "prepare"]
