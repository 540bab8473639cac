"""The composition root: the only place that knows all rooms and joins them."""

from hub.factory.app import create_app
from hub.factory.initial import prepare
from hub.factory.parts import Hub, assemble

__all__ = ["Hub", "assemble", "create_app", "prepare"]
