"""What a hash looks like, by the name of its algorithm."""

from __future__ import annotations

import re
from typing import Final

from hub.stix.pattern.syntax import Constant, Step

# Hexadecimal digits of hash-algorithm-ov (STIX 2.1 section 10) and of the other algorithms in use.
_DIGITS: Final[dict[str, tuple[int, ...]]] = {
    "MD5": (32,),
    "MD6": (32, 40, 56, 64, 96, 128),
    "RIPEMD160": (40,),
    "SHA1": (40,),
    "SHA224": (56,),
    "SHA256": (64,),
    "SHA384": (96,),
    "SHA512": (128,),
    "SHA3224": (56,),
    "SHA3256": (64,),
    "SHA3384": (96,),
    "SHA3512": (128,),
    "WHIRLPOOL": (128,),
}
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_SSDEEP: Final = re.compile(r"[a-zA-Z0-9/+:.]{1,128}")


def is_hash(algorithm: Step, constant: Constant) -> bool:
    """Tell whether ``constant`` can be a hash of ``algorithm``; of an unknown algorithm anything can."""
    if not isinstance(algorithm, str):
        return True
    name = algorithm.upper().replace("-", "")
    if name not in _DIGITS and name != "SSDEEP":
        return True
    if not isinstance(constant, str):
        return False
    if name == "SSDEEP":
        return _SSDEEP.fullmatch(constant) is not None
    return len(constant) in _DIGITS[name] and _HEX.fullmatch(constant) is not None
