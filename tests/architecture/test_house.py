"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES = 400
# What .gitignore leaves out.
NOT_OURS = re.compile(r"\.git|\.venv|var|build|__pycache__|\.\w+_cache|\.hypothesis|.*\.egg-info|results")
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}

# Put together here, so that this file does not hold what it looks for.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
        ("index", "docker", "io"),
    )
]
ONE_MACHINE = re.compile(rf"(?<![\w./-])/(?:{'|'.join(('work', 'root', 'tmp/w', 'home/[a-z]+'))})/")
# A directive that silences a checker, and the words behind it that say why.
SILENCED = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b")
SILENCED_WITH_REASON = re.compile(
    r"#\s*(?:noqa:\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*|type:\s*ignore\[[\w-]+(?:,\s*[\w-]+)*\])\s*(?:#|-|—|\()?\s*\S.{5,}"
)


def _ours(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if NOT_OURS.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from _ours(path)
        else:
            yield path


FILES = list(_ours(ROOT))
PYTHON = [path for path in FILES if path.suffix == ".py"]
HUB = [path for path in PYTHON if path.is_relative_to(ROOT / "hub")]


def _none(faults: list[str]) -> None:
    assert not faults, "\n".join(faults)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_module_is_short_enough_to_read() -> None:
    # A migration lists the columns of one step, however many they are.
    modules = [path for path in HUB if path.parent.name != "versions"]
    lengths = {_name(path): len(path.read_text().splitlines()) for path in modules}
    _none([f"{name}: {length} lines" for name, length in lengths.items() if length > LINES])


def test_what_is_public_says_what_it_is() -> None:
    # A migration's upgrade and downgrade are Alembic's words; its module says what it does.
    modules = [path for path in HUB if path.parent.name != "versions"]
    _none([f"{_name(path)}: {name}" for path in modules for name in _undocumented(path)])


def _undocumented(path: Path) -> list[str]:
    """The public classes and functions of a module that lack a docstring."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [node for node in ast.parse(path.read_text()).body if isinstance(node, kinds)]
    return [node.name for node in public if not node.name.startswith("_") and not ast.get_docstring(node)]


def test_no_module_has_a_name_that_says_nothing() -> None:
    _none([_name(path) for path in HUB if NAMES_THAT_SAY_NOTHING & {path.stem, path.parent.name}])


def test_a_silenced_checker_comes_with_a_reason() -> None:
    texts = {path: path.read_text() for path in PYTHON}
    silenced = [
        (f"{_name(path)}:{token.start[0]}", token.string)
        for path, text in texts.items()
        if SILENCED.search(text)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and SILENCED.search(token.string)
    ]
    _none([where for where, comment in silenced if not SILENCED_WITH_REASON.search(comment)])


def test_no_file_names_a_package_registry_or_a_place_on_one_machine() -> None:
    found = []
    for path in FILES:
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{_name(path)}: {host}" for host in REGISTRIES if host in text]
        found += [f"{_name(path)}: {match[0]}" for match in ONE_MACHINE.finditer(text)]
    _none(found)


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_requirement_is_locked_with_hashes(name: str) -> None:
    lock = (ROOT / f"{name}.txt").read_text()
    locked = re.findall(r"^([a-z0-9-]+)==\S+(.*(?:\n    --hash=sha256:[0-9a-f]{64}.*)+)", lock, re.MULTILINE)
    _none(sorted(set(_required(name)) - {package for package, _ in locked}))
    assert len(locked) == len(re.findall(r"^\S+==", lock, re.MULTILINE))


def test_every_dependency_has_its_reason() -> None:
    record = (ROOT / "docs/adr/0002-dependencies.md").read_text()
    _none([name for name in _required("requirements") if f"| {name} |" not in record])


def _required(name: str) -> list[str]:
    lines = (ROOT / f"{name}.in").read_text().splitlines()
    return [re.match(r"[\w-]+", line)[0] for line in lines if line and line[0] not in "#-"]
