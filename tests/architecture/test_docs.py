"""What the documents say is so: commands, settings, roles, formats and links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from hub.auth.permissions import TABLE, Role
from hub.cli import COMMANDS, commands
from hub.feeds.readers import READERS
from hub.settings import PLAIN_VARIABLES, Settings

ROOT = Path(__file__).resolve().parents[2]
# The decision records tell what was so on their day.
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")} - set(ROOT.glob("docs/adr/*.md")))
FORMATS = ROOT / "docs" / "formats"
SHOWN_COMMAND = re.compile(r"^ +(?:\w+=\S+ )*(?:\.venv/bin/)?(hub (?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
INLINE_COMMAND = re.compile(r"`((?:\.venv/bin/)?hub [^`\n]+)`")
VARIABLE = re.compile(r"\bHUB_[A-Z_]+\b")
SETTING = re.compile(r"`([a-z_]+)\.(?!(?:py|csv|json|toml)`)([a-z_]+)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
PLACEHOLDERS = {"COMMAND", "HUB_SECTION__NAME"}


def _texts() -> Iterator[tuple[str, str]]:
    for path in DOCUMENTS:
        yield str(path.relative_to(ROOT)), path.read_text()


def _commands() -> list[tuple[str, str]]:
    found = []
    for name, text in _texts():
        for pattern in (SHOWN_COMMAND, INLINE_COMMAND):
            found += [(name, match.replace("\\\n", " ")) for match in pattern.findall(text)]
    return found


def _fault(line: str) -> str | None:
    """What of a command line the command does not know."""
    words = shlex.split(line.split(" | ", maxsplit=1)[0].split(" > ", maxsplit=1)[0])[1:]
    here: click.Command = commands
    while isinstance(here, click.Group) and words and not words[0].startswith("-"):
        word = words.pop(0)
        if word in PLACEHOLDERS:
            return None
        found = here.get_command(click.Context(here), word)
        if found is None:
            return f"no command {word!r}"
        here = found
    known = {"--help", "-h"} | {option for parameter in here.params for option in parameter.opts}
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in known]
    return f"no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_of_a_command_what_the_command_says(name: str) -> None:
    context = click.Context(commands)
    told, whole = click.Command(name, help=COMMANDS[name][0]), commands.get_command(context, name)
    assert whole is not None
    assert told.get_short_help_str(200) == whole.get_short_help_str(200)


def test_every_command_is_in_the_help() -> None:
    """A file adds its commands by itself; what it adds has a line of its own."""
    context = click.Context(commands)
    for name in COMMANDS:
        commands.get_command(context, name)
    assert set(commands.commands) == set(COMMANDS) == set(commands.list_commands(context))


def test_commands_are_shown() -> None:
    assert {"README.md"} <= {name for name, _ in _commands()}


@pytest.mark.parametrize(("document", "line"), _commands())
def test_every_command_that_is_shown_exists(document: str, line: str) -> None:
    assert _fault(line) is None


def _section(name: str) -> type[BaseModel] | None:
    field = Settings.model_fields.get(name)
    kind = field.annotation if field else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def test_every_setting_that_is_named_exists() -> None:
    faults = []
    for name, text in _texts():
        for variable in set(VARIABLE.findall(text)) - PLAIN_VARIABLES - PLACEHOLDERS:
            section, _, setting = variable.removeprefix("HUB_").lower().partition("__")
            fields = _section(section)
            if fields is None or setting not in fields.model_fields:
                faults.append(f"{name}: {variable}")
        for section, setting in SETTING.findall(text):
            fields = _section(section)
            if fields is not None and setting not in fields.model_fields:
                faults.append(f"{name}: {section}.{setting}")
    assert not faults


def roles_table() -> str:
    """The table of docs/roles.md."""
    lines = ["| permission | " + " | ".join(Role) + " | credentials |", "|---" * (len(Role) + 2) + "|"]
    for permission, (holders, kinds) in TABLE.items():
        marks = " | ".join("yes" if role in holders else "" for role in Role)
        lines.append(f"| `{permission}` | {marks} | {', '.join(sorted(kinds))} |")
    return "\n".join(lines)


def test_the_table_of_roles_is_the_one_that_holds() -> None:
    text = (ROOT / "docs" / "roles.md").read_text()
    assert roles_table() in text, f"docs/roles.md should hold:\n{roles_table()}"
    assert all(f"**{role}**" in text for role in Role)


def test_every_link_leads_somewhere() -> None:
    broken = []
    for path in DOCUMENTS:
        for target in LINK.findall(path.read_text()):
            if not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert not broken


def test_every_format_has_its_page() -> None:
    pages = {path.stem for path in FORMATS.glob("*.md")} - {"README"}
    assert pages == {reader.name for reader in READERS}
