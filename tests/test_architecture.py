"""The shape of the code, held by tests: import directions, sizes, names, and locks without an index host."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("config", "integrations", "mapping", "monitoring", "tests", "benchmarks", "scripts")
ATTIC = {"utils", "helpers", "common", "core", "misc", "tools"}
LONGEST_MODULE, LONGEST_FUNCTION, LONG_FUNCTION = 400, 60, 35
MOST_POSITIONAL = 4


def modules(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from (path for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts)


def functions(*rooms: str) -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path in modules(*rooms):
        yield from ((path, node) for node in functions_of(path))


@cache
def functions_of(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]


def named(path: Path, node: ast.FunctionDef) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def length(node: ast.FunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_imports_point_the_ways_the_contracts_say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    broken = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    said = capsys.readouterr().out
    assert broken == 0, said
    assert "Contracts: 7 kept, 0 broken" in said


def test_no_module_is_longer_than_400_lines() -> None:
    assert {str(path.relative_to(ROOT)) for path in modules(*ROOMS) if len(path.read_text().splitlines()) > LONGEST_MODULE} == set()


def test_no_module_is_named_after_an_attic() -> None:
    assert {str(path.relative_to(ROOT)) for path in modules(*ROOMS) if path.stem in ATTIC or path.parent.name in ATTIC} == set()


def test_functions_are_short() -> None:
    lengths = [(length(node), named(path, node)) for path, node in functions("config", "integrations", "mapping", "monitoring")]
    assert [name for lines, name in lengths if lines > LONGEST_FUNCTION] == []
    assert sum(lines <= LONG_FUNCTION for lines, _ in lengths) / len(lengths) >= 0.9


def test_functions_say_what_they_return() -> None:
    rooms = ("config", "integrations", "mapping", "monitoring")
    assert [named(path, node) for path, node in functions(*rooms) if node.returns is None] == []


def test_functions_take_at_most_four_positional_arguments() -> None:
    def positional(node: ast.FunctionDef) -> int:
        names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        return len([name for name in names if name not in ("self", "cls")])

    rooms = ("integrations/engine", "integrations/platforms", "integrations/standins", "mapping", "monitoring")
    assert [named(path, node) for path, node in functions(*rooms) if positional(node) > MOST_POSITIONAL] == []


def test_nothing_is_left_to_be_done_or_swallowed() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b|except[^:\n]*:\s*pass\b")
    mine = Path(__file__).name
    assert {str(path.relative_to(ROOT)) for path in modules(*ROOMS) if path.name != mine and marks.search(path.read_text())} == set()


def test_locks_name_no_index_host_and_pin_every_hash() -> None:
    locks = list((ROOT / "requirements").rglob("*.txt"))
    assert locks
    for lock in locks:
        text = lock.read_text()
        assert "http://" not in text, lock.name
        assert "https://" not in text, lock.name
        assert "--index" not in text, lock.name
        assert "--hash=sha256:" in text, lock.name
