"""OpenID Connect 1.0 as the relying party: authorisation code, PKCE (RFC 7636), state and nonce, a pinned issuer.

The network is used here and nowhere else in this room, outside any transaction: the provider's discovery document,
its keys and its token endpoint, each bounded in time and size, no redirect followed. Nothing is remembered between
two sign-ins, so a key that the provider withdraws is good for nothing at once.
"""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hub import clock
from hub.errors import InvalidInput, Unavailable
from hub.stix.canonical import parse_json

# Signatures by a key of the provider's; "none" and shared secrets are not among them.
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
DISCOVERY = "/.well-known/openid-configuration"
SCOPE = "openid email"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
LONGEST_ANSWER = 262_144
CHUNK = 16_384
LEEWAY_SECONDS = 60
LONGEST_SUBJECT = 255
GOOD_FOR = 10 * 60_000_000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
NOT_RIGHT = "Your organisation's sign-in did not work. Try again, or ask your organisation"


@dataclass(frozen=True, slots=True)
class Client:
    """The hub as a client of one provider. ``amr`` and ``acr``: the values that stand for a second factor."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    domains: frozenset[str]
    amr: frozenset[str]
    acr: frozenset[str]


@dataclass(frozen=True, slots=True)
class Flow:
    """What the browser keeps, sealed, while its person is at the provider. ``expires_at`` in microseconds."""

    provider_id: str
    state: str
    nonce: str
    verifier: str
    onward: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is. ``email`` is "" unless it is verified and of an allowed domain."""

    issuer: str
    subject: str
    email: str
    second_factor: bool


def begin(client: Client, provider_id: str, onward: str) -> tuple[str, Flow]:
    """(where to send the browser, what it has to keep). Raises Unavailable where the provider does not answer."""
    found = _discover(client)
    flow = Flow(
        provider_id=provider_id,
        state=secrets.token_urlsafe(24),
        nonce=secrets.token_urlsafe(24),
        verifier=secrets.token_urlsafe(48),
        onward=onward,
        expires_at=clock.micros() + GOOD_FOR,
    )
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": SCOPE,
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": _b64u(sha256(flow.verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    if client.acr:
        asked["acr_values"] = " ".join(sorted(client.acr))
    address = _endpoint(found, "authorization_endpoint")
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}", flow


def finish(client: Client, flow: Flow, answer: Mapping[str, str]) -> Identity:
    """Who has come back from the provider with ``answer``, the query of the redirect.

    Raises InvalidInput, whose ``where`` says for the audit log what was not right, and Unavailable.
    """
    if flow.expires_at <= clock.micros():
        _refuse("the sign-in took too long")
    if not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
        _refuse("state")
    if answer.get("iss", client.issuer) != client.issuer:  # RFC 9207
        _refuse("issuer of the answer")
    if "error" in answer or not answer.get("code"):
        _refuse("the provider gave no code")
    found = _discover(client)
    tokens = _redeem(client, found, flow, answer["code"])
    claims = _claims(client, found, str(tokens.get("id_token", "")))
    _check(client, flow, claims)
    return Identity(
        issuer=client.issuer,
        subject=claims["sub"],
        email=_email(client, claims),
        second_factor=_second_factor(client, claims),
    )


def is_safe(url: str) -> bool:
    """Whether a provider may be asked at ``url``: by TLS, or on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def _discover(client: Client) -> dict[str, Any]:
    """The provider's discovery document, if it is that of the pinned issuer (OpenID Connect Discovery 4.3)."""
    found = _asked("GET", client.issuer.rstrip("/") + DISCOVERY)
    if found.get("issuer") != client.issuer:
        _refuse("the discovery document is another issuer's")
    return found


def _endpoint(found: Mapping[str, Any], name: str) -> str:
    address = found.get(name)
    if not isinstance(address, str) or not is_safe(address):
        _refuse(name)
    return address


def _redeem(client: Client, found: Mapping[str, Any], flow: Flow, code: str) -> dict[str, Any]:
    """The tokens for a code (RFC 6749 section 4.1.3)."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": flow.verifier,
    }
    methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    auth = None
    if isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods:
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    else:
        auth = (client.client_id, client.client_secret)
    return _asked("POST", _endpoint(found, "token_endpoint"), data=form, auth=auth)


def _claims(client: Client, found: Mapping[str, Any], token: str) -> dict[str, Any]:
    """The claims of an ID token, its signature checked by the provider's present keys."""
    if not token or len(token) > LONGEST_ANSWER:
        _refuse("there is no ID token")
    keys = _asked("GET", _endpoint(found, "jwks_uri"))
    try:
        return dict(jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims)  # type: ignore[arg-type] # what it is not, it refuses
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        _refuse(f"signature of the ID token of {client.client_id}")


def _check(client: Client, flow: Flow, claims: Mapping[str, Any]) -> None:
    """OpenID Connect Core 1.0 section 3.1.3.7."""
    now = time.time()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != client.issuer:
        _refuse("issuer of the ID token")
    if client.client_id not in audiences or claims.get("azp", client.client_id) != client.client_id:
        _refuse("audience")
    if len(audiences) > 1 and "azp" not in claims:
        _refuse("audience")
    if not _is_time(claims.get("exp")) or claims["exp"] + LEEWAY_SECONDS <= now:
        _refuse("the ID token has expired")
    if not _is_time(claims.get("iat")) or claims["iat"] - LEEWAY_SECONDS > now:
        _refuse("the ID token is of the future")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), flow.nonce.encode()):
        _refuse("nonce")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        _refuse("subject")


def _email(client: Client, claims: Mapping[str, Any]) -> str:
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return ""
    return email if email.rpartition("@")[2].lower() in client.domains else ""


def _second_factor(client: Client, claims: Mapping[str, Any]) -> bool:
    methods, context = claims.get("amr"), claims.get("acr")
    given = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
    return bool(given & client.amr) or (isinstance(context, str) and context in client.acr)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def _asked(
    method: str, url: str, data: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object that a provider answers with. Raises Unavailable, InvalidInput."""
    if not is_safe(url):
        _refuse("address of the provider")
    deadline = time.monotonic() + ANSWER_SECONDS
    content = bytearray()
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy, no .netrc
            wait = (CONNECT_SECONDS, ANSWER_SECONDS)
            with session.request(
                method, url, data=data, auth=auth, timeout=wait, stream=True, allow_redirects=False,
                headers={"Accept": "application/json"},
            ) as answer:  # fmt: skip
                for chunk in answer.iter_content(CHUNK):
                    content += chunk
                    if len(content) > LONGEST_ANSWER or time.monotonic() > deadline:
                        _refuse("the provider's answer is too large or too slow")
                status = answer.status_code
    except (requests.RequestException, UnicodeError):
        raise Unavailable("your organisation's sign-in does not answer", advice="Try again in a moment.") from None
    if status != 200:
        _refuse(f"the provider answered {status}")
    try:
        found = parse_json(bytes(content))
    except InvalidInput:
        _refuse("the provider's answer is not JSON")
    if not isinstance(found, dict):
        _refuse("the provider's answer is no JSON object")
    return found


def _refuse(what: str) -> NoReturn:
    raise InvalidInput(NOT_RIGHT, where=what)


def _b64u(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
