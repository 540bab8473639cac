"""Applications for tests: hundreds are made, and most of the time that takes comes out the same each time.

What the first one of a process compiles serves all others: the templates, and the functions that werkzeug generates
to build the address of each rule.
"""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from hub.factory.app import create_app
from hub.settings import Settings

Builder = Callable[..., tuple[str, str]]
_compile_builder = Rule._compile_builder
_builders: dict[tuple[str, tuple[tuple[bool, str], ...], bool], Builder] = {}


def application(settings: Settings) -> Flask:
    """The application, which leaves logging as it is.

    Where the log goes was settled when the hub was made: what a test has for standard error ends with the test.
    """
    with patch("hub.factory.app.configure_logging"), patch.object(Rule, "_compile_builder", _builder):
        app = create_app(settings)
    app.jinja_env.bytecode_cache = _templates
    return app


def _builder(rule: Rule, append_unknown: bool = True) -> Builder:
    """A builder takes its rule as an argument: it is the same for all that are spelt alike."""
    if rule.defaults:
        return _compile_builder(rule, append_unknown)
    key = (rule.rule, tuple(rule._trace), append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


class _Templates(BytecodeCache):
    """Compiled templates in memory; jinja2 itself drops those whose source has changed."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_templates = _Templates()
