"""RFC 9497 (VOPRF mode, ristretto255-SHA512) read anew in plain Python: slow, and a stranger to the hub's library.

What the two agree on is what the RFC says, not what one implementer took it to say. The group is RFC 9496's.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import NamedTuple

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
# RFC 9496 section 4.1.
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P

CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"


class Point(NamedTuple):
    """Extended coordinates on the twisted Edwards curve."""

    x: int
    y: int
    z: int
    t: int


IDENTITY = Point(0, 1, 1, 0)


def negative(number: int) -> bool:
    return number % P & 1 == 1


def absolute(number: int) -> int:
    return -number % P if negative(number) else number % P


def sqrt_ratio(u: int, v: int) -> tuple[bool, int]:
    """RFC 9496 section 4.2."""
    root = u * v**3 * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * root * root % P
    flipped = check == -u % P
    if flipped or check == -u * ROOT_OF_MINUS_ONE % P:
        root = root * ROOT_OF_MINUS_ONE % P
    return check == u % P or flipped, absolute(root)


def decode(raw: bytes) -> Point:
    """RFC 9496 section 4.3.1."""
    s = int.from_bytes(raw, "little")
    assert len(raw) == 32
    assert s < P
    assert not negative(s)
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, inverse = sqrt_ratio(1, v * u2 * u2 % P)
    den_x = inverse * u2 % P
    x, y = absolute(2 * s * den_x), u1 * inverse * den_x * v % P
    assert square
    assert not negative(x * y)
    assert y != 0
    return Point(x, y, 1, x * y % P)


def encode(point: Point) -> bytes:
    """RFC 9496 section 4.3.2."""
    x, y, z, t = point
    u1, u2 = (z + y) * (z - y) % P, x * y % P
    _, inverse = sqrt_ratio(1, u1 * u2 * u2 % P)
    den1, den2 = inverse * u1 % P, inverse * u2 % P
    z_inverse = den1 * den2 * t % P
    if negative(t * z_inverse):
        x, y, den = y * ROOT_OF_MINUS_ONE % P, x * ROOT_OF_MINUS_ONE % P, den1 * INVSQRT_A_MINUS_D % P
    else:
        den = den2
    if negative(x * z_inverse):
        y = -y
    return absolute(den * (z - y)).to_bytes(32, "little")


def add(one: Point, other: Point) -> Point:
    a = (one.y - one.x) * (other.y - other.x)
    b = (one.y + one.x) * (other.y + other.x)
    c, d = 2 * one.t * D * other.t, 2 * one.z * other.z
    e, f, g, h = b - a, d - c, d + c, b + a
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar: int, point: Point) -> Point:
    found = IDENTITY
    for bit in bin(scalar % ORDER)[2:]:
        found = add(found, found)
        if bit == "1":
            found = add(found, point)
    return found


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


def one_way_map(t: int) -> Point:
    """RFC 9496 section 4.3.4, MAP."""
    r = ROOT_OF_MINUS_ONE * t * t % P
    u, v = (r + 1) * ONE_MINUS_D_SQ % P, (-1 - r * D) * (r + D) % P
    square, s = sqrt_ratio(u, v)
    c = P - 1
    if not square:
        s, c = -absolute(s * t) % P, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return Point(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def expand(message: bytes, tag: bytes) -> bytes:
    """expand_message_xmd with SHA-512, 64 bytes: one block is enough (RFC 9380 section 5.3.1)."""
    tag += bytes([len(tag)])
    first = hashlib.sha512(bytes(128) + message + (64).to_bytes(2) + b"\0" + tag).digest()
    return hashlib.sha512(first + b"\1" + tag).digest()


def hash_to_group(text: bytes) -> Point:
    uniform = expand(text, b"HashToGroup-" + CONTEXT)
    halves = [int.from_bytes(uniform[at : at + 32], "little") % 2**255 for at in (0, 32)]
    return add(one_way_map(halves[0]), one_way_map(halves[1]))


def hash_to_scalar(text: bytes, tag: bytes = b"HashToScalar-") -> int:
    return int.from_bytes(expand(text, tag + CONTEXT), "little") % ORDER


def sized(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2) + part for part in parts)


def derive_key(seed: bytes, info: bytes) -> int:
    """Section 3.2.1; the counter is 0 but for one seed in 2^252."""
    return hash_to_scalar(seed + sized(info) + b"\0", b"DeriveKeyPair")


def composite(public_key: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes]) -> tuple[Point, Point]:
    """Section 2.2.1, ComputeComposites."""
    seed = hashlib.sha512(sized(public_key, b"Seed-" + CONTEXT)).digest()
    m = z = IDENTITY
    for place, (one, other) in enumerate(zip(blinded, evaluated, strict=True)):
        weight = hash_to_scalar(sized(seed) + place.to_bytes(2) + sized(one, other) + b"Composite")
        m, z = add(m, times(weight, decode(one))), add(z, times(weight, decode(other)))
    return m, z


def challenge(public_key: bytes, *points: Point) -> int:
    return hash_to_scalar(sized(public_key, *map(encode, points)) + b"Challenge")


def prove(key: int, blinded: Sequence[bytes], evaluated: Sequence[bytes], nonce: int) -> bytes:
    """Section 2.2.1, GenerateProof with the ``nonce`` given."""
    public_key = encode(times(key, BASE))
    m, z = composite(public_key, blinded, evaluated)
    c = challenge(public_key, m, z, times(nonce, BASE), times(nonce, m))
    return c.to_bytes(32, "little") + ((nonce - c * key) % ORDER).to_bytes(32, "little")


def verified(public_key: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes], proof: bytes) -> bool:
    """Section 2.2.2, VerifyProof."""
    c, s = (int.from_bytes(proof[at : at + 32], "little") for at in (0, 32))
    m, z = composite(public_key, blinded, evaluated)
    t2 = add(times(s, BASE), times(c, decode(public_key)))
    t3 = add(times(s, m), times(c, z))
    return challenge(public_key, m, z, t2, t3) == c


def blind(text: bytes, scalar: int | None = None) -> tuple[int, bytes]:
    scalar = scalar or secrets.randbelow(ORDER - 1) + 1
    return scalar, encode(times(scalar, hash_to_group(text)))


def evaluate(key: int, blinded: bytes) -> bytes:
    return encode(times(key, decode(blinded)))


def finalize(text: bytes, scalar: int, evaluated: bytes) -> bytes:
    unblinded = encode(times(pow(scalar, -1, ORDER), decode(evaluated)))
    return hashlib.sha512(sized(text, unblinded) + b"Finalize").digest()
