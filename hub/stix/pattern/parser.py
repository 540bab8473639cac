"""Reading a STIX pattern (STIX 2.1 section 9) into its syntax.

Chains of AND, OR and FOLLOWEDBY are loops; only parentheses nest, and their depth is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final, NoReturn, TypeVar

from hub.errors import InvalidInput
from hub.stix.pattern.hashes import is_hash
from hub.stix.pattern.lexer import KEYWORDS, Token, tokens_of
from hub.stix.pattern.syntax import (
    Binary,
    Combined,
    Comparison,
    Constant,
    Hex,
    Joined,
    ObjectPath,
    Observation,
    Pattern,
    Qualified,
    Qualifier,
    Repeats,
    StartStop,
    Step,
    Within,
)

MAX_LENGTH: Final = 20_000
MAX_COMPARISONS: Final = 500
MAX_DEPTH: Final = 64

_EQUALITY: Final = {"=": "=", "==": "=", "!=": "!=", "<>": "!="}
_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_ON_STRINGS: Final = frozenset({"LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"})
_OPERATORS: Final = frozenset({*_EQUALITY, *_ORDER, *_ON_STRINGS, "IN"})
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)

# Nearly all indicators have a pattern of this one form: a shorter way to the same syntax.
_SIMPLE: Final = re.compile(r"\[([A-Za-z_][A-Za-z0-9_-]*+):([A-Za-z_][A-Za-z0-9_]*+) ?= ?'([^'\\]*+)'\]")

_Part = TypeVar("_Part")


def parse(pattern: str) -> Pattern:
    """Return the syntax of a STIX pattern; raise ``InvalidInput`` where the grammar does not allow it.

    Also refused: more than 20,000 characters, 500 comparisons or 64 nested parentheses; dates that do not
    exist; leap seconds; START not before STOP; WITHIN 0 and REPEATS 0; a qualifier given twice to one
    observation; a hash of the wrong length for its algorithm. Regular expressions are not compiled: they
    are PCRE (section 9.6.1), which Python's ``re`` is not.
    """
    if len(pattern) > MAX_LENGTH:
        raise InvalidInput(f"the pattern has more than {MAX_LENGTH:,} characters", advice="Split it by OR.")
    simple = _SIMPLE.fullmatch(pattern)
    if simple and not _has_keyword(simple):
        object_type, key, text = simple.groups()
        return Observation(Comparison(ObjectPath(object_type, (key,)), "=", (text,), False))
    return _Parser(tokens_of(pattern)).pattern()


def check_grammar(pattern: str) -> None:
    """Raise ``InvalidInput`` for what ``parse`` refuses."""
    if len(pattern) > MAX_LENGTH or not (simple := _SIMPLE.fullmatch(pattern)) or _has_keyword(simple):
        parse(pattern)


def _has_keyword(simple: re.Match[str]) -> bool:
    """A keyword cannot stand for a type or a key."""
    return simple[1] in KEYWORDS or simple[2] in KEYWORDS


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._kind = tokens[0][0]
        self._depth = 0
        self._comparisons = 0

    def pattern(self) -> Pattern:
        whole = self._followed()
        if self._kind != "end":
            self._refuse("the end of the pattern")
        return whole

    # -- moving over the tokens

    def _take(self) -> Token:
        token = self._tokens[self._at]
        if token[0] != "end":
            self._at += 1
            self._kind = self._tokens[self._at][0]
        return token

    def _expect(self, kind: str) -> Token:
        if self._kind != kind:
            self._refuse(f"a {kind}" if kind.islower() else f"{kind!r}")
        return self._take()

    def _refuse(self, expected: str) -> NoReturn:
        raise self._unexpected(expected)

    def _unexpected(self, expected: str) -> InvalidInput:
        token = self._tokens[self._at]
        return InvalidInput(
            f"the pattern has {token[1][:40]!r} where {expected} is expected",
            where=f"character {token[2] + 1}",
        )

    def _chain(self, operator: str, part: Callable[[], _Part]) -> list[_Part]:
        parts = [part()]
        while self._kind == operator:
            self._take()
            parts.append(part())
        return parts

    def _in_parentheses(self, part: Callable[[], _Part]) -> _Part:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise InvalidInput(f"the pattern nests deeper than {MAX_DEPTH} parentheses")
        self._take()
        inner = part()
        self._expect(")")
        self._depth -= 1
        return inner

    # -- observation expressions (section 9.5): FOLLOWEDBY binds least, AND most

    def _followed(self) -> Pattern:
        return _joined("FOLLOWEDBY", self._chain("FOLLOWEDBY", self._alternatives))

    def _alternatives(self) -> Pattern:
        return _joined("OR", self._chain("OR", self._conjunction))

    def _conjunction(self) -> Pattern:
        return _joined("AND", self._chain("AND", self._observation))

    def _observation(self) -> Pattern:
        expression: Pattern
        is_simple = self._kind == "["
        if is_simple:
            self._take()
            expression = Observation(self._any_of())
            self._expect("]")
        elif self._kind == "(":
            expression = self._in_parentheses(self._followed)
        else:
            self._refuse("'[' or '('")
        qualifiers: list[Qualifier] = []
        while self._kind in ("START", "WITHIN", "REPEATS"):
            qualifier = self._qualifier()
            if is_simple and any(type(earlier) is type(qualifier) for earlier in qualifiers):
                self._fault("an observation has the same qualifier twice (section 9.5.1)")
            qualifiers.append(qualifier)
        if not qualifiers:
            return expression
        if isinstance(expression, Qualified):
            # Parentheses around it keep the inner qualifiers apart from the outer ones.
            expression = Joined("AND", (expression,))
        return Qualified(expression, tuple(qualifiers))

    def _qualifier(self) -> Qualifier:
        keyword = self._take()[0]
        if keyword == "WITHIN":
            if self._kind not in ("integer", "float"):
                self._refuse("a number of seconds")
            seconds = self._number()
            self._expect("SECONDS")
            if seconds <= 0:
                self._fault("WITHIN needs a positive number of seconds (section 9.5.1)")
            return Within(float(seconds))
        if keyword == "REPEATS":
            times = _whole(self._expect("integer"))
            self._expect("TIMES")
            if times <= 0:
                self._fault("REPEATS needs a positive number of times (section 9.5.1)")
            return Repeats(times)
        start = self._instant(self._expect("timestamp"))
        self._expect("STOP")
        stop = self._instant(self._expect("timestamp"))
        if start >= stop:
            self._fault("START is not before STOP, so nothing can match (section 9.5.1)")
        return StartStop(start, stop)

    # -- comparison expressions (section 9.6)

    def _any_of(self) -> Comparison | Combined:
        return _combined("OR", self._chain("OR", self._all_of))

    def _all_of(self) -> Comparison | Combined:
        return _combined("AND", self._chain("AND", self._comparison))

    def _comparison(self) -> Comparison | Combined:
        if self._kind == "(":
            return self._in_parentheses(self._any_of)
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise InvalidInput(f"the pattern has more than {MAX_COMPARISONS} comparisons")
        if self._kind in ("NOT", "EXISTS"):
            negated = self._negation()
            self._expect("EXISTS")
            return Comparison(self._path(), "EXISTS", (), negated)
        path = self._path()
        negated = self._negation()
        operator, constants = self._test()
        if "hashes" in path.steps and operator in ("=", "!=", "IN"):
            algorithm = path.steps[-1]
            for constant in constants:
                if not is_hash(algorithm, constant):
                    self._fault(f"{str(constant)[:40]!r} is not a hash of the algorithm {algorithm}")
        return Comparison(path, operator, constants, negated)

    def _negation(self) -> bool:
        if self._kind != "NOT":
            return False
        self._take()
        return True

    def _test(self) -> tuple[str, tuple[Constant, ...]]:
        operator = self._kind
        if operator not in _OPERATORS:
            self._refuse("a comparison operator")
        self._take()
        if operator in _EQUALITY:
            return _EQUALITY[operator], (self._constant(),)
        if operator in _ORDER:
            if self._kind in ("true", "false"):
                self._refuse("a constant that has an order")
            return operator, (self._constant(),)
        if operator in _ON_STRINGS:
            return operator, (_unescaped(self._expect("string")),)
        return operator, self._set()

    def _set(self) -> tuple[Constant, ...]:
        self._expect("(")
        constants: list[Constant] = []
        if self._kind != ")":
            constants = self._chain(",", self._constant)
        self._expect(")")
        return tuple(constants)

    def _constant(self) -> Constant:
        token = self._tokens[self._at]
        kind = token[0]
        if kind == "string":
            self._take()
            return _unescaped(token)
        if kind in ("integer", "float"):
            return self._number()
        if kind in ("true", "false"):
            self._take()
            return kind == "true"
        if kind == "timestamp":
            return self._instant(self._take())
        if kind == "hex":
            return Hex(self._take()[1][2:-1])
        if kind == "binary":
            return Binary(self._take()[1][2:-1])
        raise self._unexpected("a constant")

    def _number(self) -> int | float:
        token = self._take()
        return _whole(token) if token[0] == "integer" else float(token[1])

    def _instant(self, token: Token) -> datetime:
        # datetime keeps six digits of a second; more are legal and do not change whether the date exists.
        text = token[1][2:-1]
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise InvalidInput(
                f"the time {text} does not exist (RFC 3339; leap seconds are not taken)",
                where=f"character {token[2] + 1}",
            ) from None

    # -- object paths (section 9.7)

    def _path(self) -> ObjectPath:
        object_type = self._expect("word")[1]
        self._expect(":")
        steps: list[Step] = [self._key()]
        while True:
            if self._kind == ".":
                self._take()
                steps.append(self._key())
            elif self._kind == "[":
                steps.append(self._index())
            else:
                return ObjectPath(object_type, tuple(steps))

    def _key(self) -> str:
        if self._kind == "string":
            return _unescaped(self._take())
        token = self._expect("word")
        if "-" in token[1]:
            raise InvalidInput(
                f"the key {token[1]} has a hyphen and so needs quotes (section 9.7)",
                where=f"character {token[2] + 1}",
                advice=f"Write '{token[1]}'.",
            )
        return token[1]

    def _index(self) -> int | None:
        self._take()
        index = None
        if self._kind == "*":
            self._take()
        else:
            index = _whole(self._expect("integer"))
            if index < 0:
                self._fault("a list index is not negative (section 9.7)")
        self._expect("]")
        return index

    def _fault(self, message: str) -> NoReturn:
        """Refuse what was just read."""
        raise InvalidInput(message, where=f"character {self._tokens[self._at - 1][2] + 1}")


def _joined(operator: str, operands: list[Pattern]) -> Pattern:
    return operands[0] if len(operands) == 1 else Joined(operator, tuple(operands))


def _combined(operator: str, operands: list[Comparison | Combined]) -> Comparison | Combined:
    return operands[0] if len(operands) == 1 else Combined(operator, tuple(operands))


def _unescaped(token: Token) -> str:
    text = token[1][1:-1]
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def _whole(token: Token) -> int:
    # STIX integers are of 54 bits (section 2.10); a longer one would also be slow to convert.
    if len(token[1]) > 17 or abs(int(token[1])) > 2**53 - 1:
        raise InvalidInput(
            f"the integer {token[1][:40]} is outside ±(2^53−1) (section 2.10)",
            where=f"character {token[2] + 1}",
        )
    return int(token[1])
