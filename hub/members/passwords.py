"""Passwords of people: argon2id with the parameters of RFC 9106 section 4 (second choice), as argon2-cffi sets them."""

from __future__ import annotations

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.errors import InvalidInput

SHORTEST = 12
LONGEST = 128
# A password of fewer different characters is a pattern, whatever its length.
FEWEST_DIFFERENT = 5
# What guessers try first, of twelve characters and more; a shorter one is refused anyway.
GUESSED = frozenset({
    "password1234", "password12345", "password123456", "passwordpassword", "123456789012", "1234567890123",
    "qwertyuiopas", "qwertyuiop123", "qwerty123456", "iloveyou1234", "administrator", "letmeinletmein",
    "welcome12345", "changeme1234", "correcthorsebatterystaple", "trustno1trustno1", "abcdefghijkl",
    "abc123abc123", "monkeymonkey", "dragondragon",
})  # fmt: skip

_hasher = PasswordHasher()


def hashed(password: str, email: str, field: str = "password") -> str:
    """What is stored of a new password. Raises InvalidInput, ``where`` naming ``field``, for one that is too weak."""
    if len(password) < SHORTEST:
        raise InvalidInput(f"Password must be {SHORTEST} characters or more", where=field)
    if len(password) > LONGEST:
        raise InvalidInput(f"Password must be {LONGEST} characters or fewer", where=field)
    plain = password.lower()
    if len(set(plain)) < FEWEST_DIFFERENT or plain in GUESSED:
        raise InvalidInput("Password is too easy to guess. Three random words make a good one", where=field)
    if email.partition("@")[0] in plain:
        raise InvalidInput("Password must not contain your e-mail address", where=field)
    return _hasher.hash(password)


def matches(stored: str | None, given: str) -> bool:
    """Whether ``given`` is the password. Without a stored one it takes the same time to say no."""
    try:
        return _hasher.verify(stored or _nobodys(), given[: LONGEST + 1]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _hasher.hash("no person has this password")
