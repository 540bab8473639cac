"""The view token (JWS ``typ: stix-view+jws``, key role ``hub-view``): the hub's word for what a redacted view hides.

    {"aud", "hidden", "iat", "stmt", "v": 1} and, where ``set`` names properties, "set"

``stmt`` names the receipt, ``hidden`` is b64u(SHA-256(JCS(sorted digests))), ``set`` the same over the replaced
properties as they are shown, ``aud`` says for whom the view is, ``iat`` from when on it stands.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from hub.errors import IntegrityFailure
from hub.provenance import strict_json
from hub.provenance.encoding import b64u, unb64u

VIEW_TYPE: Final = "stix-view+jws"
# The one property of which a view may show what is left: marks on hidden parts are hidden with them.
REPLACEABLE: Final = frozenset({"granular_markings"})
SALT_BYTES: Final = 16
DIGEST_BYTES: Final = 32


def claims(statement: str, hidden: list[str], values: dict[str, Any], audience: str, since: str) -> dict[str, Any]:
    """The payload of a token; ``values`` are the replaced properties."""
    said = {"aud": audience, "hidden": _digest(hidden), "iat": since, "stmt": statement, "v": 1}
    return {**said, "set": _digest(values)} if values else said


def check_claims(payload: bytes, statement: str, hidden: list[str], values: dict[str, Any]) -> None:
    """Raise ``IntegrityFailure`` unless ``payload`` is that of the token for exactly this view."""
    said = strict_json.parse(payload)
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in ("aud", "iat")):
        raise IntegrityFailure("the view token is not one of version 1")
    if said != claims(statement, hidden, values, said["aud"], said["iat"]):
        raise IntegrityFailure("the view token is for another view: what is hidden here was not hidden by the hub")


def read_view(extension: dict[str, Any], shown: set[str]) -> tuple[dict[str, bytes], list[str], list[str]]:
    """(salts by path, hidden digests, replaced properties) of an extension's members; ``shown`` are the object's paths.

    Raises ``IntegrityFailure``, or ``InvalidInput`` for what is not spelled as it must be.
    """
    salts, hidden, replaced = extension["salts"], extension["hidden"], extension.get("set", [])
    if not isinstance(hidden, list) or not hidden or not all(isinstance(each, str) for each in hidden):
        raise IntegrityFailure("'hidden' is not a list of digests")
    # Their order and number are what the token commits to.
    for each in hidden:
        unb64u(each, where="hidden", size=DIGEST_BYTES)
    if "set" in extension and replaced not in [[name] for name in REPLACEABLE]:
        raise IntegrityFailure("'set' names what a view may not replace")
    if not isinstance(salts, dict) or salts.keys() | set(replaced) != shown or salts.keys() & set(replaced):
        raise IntegrityFailure("the salts are not those of the properties that are shown")
    for path, salt in salts.items():
        unb64u(salt, where=f"salts.{path}", size=SALT_BYTES)
    return {path: salt.encode() for path, salt in salts.items()}, hidden, replaced


def _digest(value: Any) -> str:
    return b64u(sha256(strict_json.canonical(value)).digest()).decode()
