"""A small OpenID Connect provider for tests: a process of its own on the loopback address, with real keys.

It checks what a provider checks (client, redirect URI, PKCE, each code once), and lies in its ID tokens where it is
told to: ``Provider.tell(lie="nonce")``. ``python -m tests.oidc_provider`` writes its port on standard output.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from tests.live import ROOT

CLIENT, SECRET = "hub", "a client secret: with signs & more"


class Provider:
    """The provider's process, as a test sees it."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def tell(self, **state: Any) -> None:
        """Whom it signs in next (email, subject, verified, amr, acr, alg), and which ``lie`` it tells."""
        answer = requests.post(f"{self.issuer}/tell", json=state, timeout=5)
        assert answer.status_code == 200

    def approve(self, address: str) -> str:
        """What a browser at ``address`` is sent to after its person has signed in."""
        answer = requests.get(address, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that ends with the context."""
    command = [sys.executable, "-m", "tests.oidc_provider"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Provider(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


class Service(BaseHTTPRequestHandler):
    """The provider itself."""

    keys: dict[str, Any]
    codes: dict[str, dict[str, str]]
    state: dict[str, Any]

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        if path == "/.well-known/openid-configuration":
            lying = self.state.get("lie") == "discovery"
            self._json({
                "issuer": "https://other.test" if lying else self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            })  # fmt: skip
        elif path == "/keys":
            self._json(KeySet(list(self.keys.values())).as_dict(private=False))
        elif path == "/authorize":
            self._authorize(query)
        else:
            self._json({"error": "not_found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        if self.path == "/tell":
            type(self).state = json.loads(body)
            self._json({})
        else:
            self._token({key: value[0] for key, value in parse_qs(body).items()})

    def _authorize(self, query: dict[str, str]) -> None:
        wanted = query.get("response_type"), query.get("client_id"), query.get("code_challenge_method")
        if wanted != ("code", CLIENT, "S256") or "openid" not in query["scope"].split():
            self._json({"error": "invalid_request"}, 400)
            return
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        self.send_response(302)
        self.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
        self.end_headers()

    def _token(self, form: dict[str, str]) -> None:
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        proof = _b64u(digest)
        if self.headers.get("Authorization") != f"Basic {basic}":
            self._json({"error": "invalid_client"}, 401)
        elif asked is None or asked["code_challenge"] != proof or asked["redirect_uri"] != form.get("redirect_uri"):
            self._json({"error": "invalid_grant"}, 400)
        else:
            self._json({"access_token": "a", "token_type": "Bearer", "id_token": self._id_token(asked)})

    def _id_token(self, asked: dict[str, str]) -> str:
        now, state, lie = int(time.time()), self.state, self.state.get("lie")
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": state.get("subject", "s-1"), "nonce": asked["nonce"],
            "iat": now, "exp": now + 300, "email": state.get("email"), "email_verified": state.get("verified", True),
            **{name: state[name] for name in ("amr", "acr") if name in state},
        }  # fmt: skip
        claims |= {
            "nonce": {"nonce": "another"}, "audience": {"aud": "another"}, "issuer": {"iss": "https://other.test"},
            "two audiences": {"aud": [CLIENT, "another"]}, "azp": {"azp": "another"}, "expired": {"exp": now - 300},
            "future": {"iat": now + 900}, "no nonce": {"nonce": None}, "no subject": {"sub": ""},
            "exp as text": {"exp": str(now + 300)},
        }.get(str(lie), {})  # fmt: skip
        if lie in ("none", "shared secret"):
            forged = f"{_packed({'alg': 'none' if lie == 'none' else 'HS256'})}.{_packed(claims)}"
            public = self.keys["RS256"].as_pem(private=False)  # the public key taken for a shared secret
            tag = b"" if lie == "none" else hmac.digest(public, forged.encode(), "sha256")
            return f"{forged}.{_b64u(tag)}"
        alg = state.get("alg", "RS256")
        key = RSAKey.generate_key(2048) if lie == "other key" else self.keys[alg]
        return jwt.encode({"alg": alg, "kid": self.keys[alg].kid}, claims, key)

    def _json(self, value: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _packed(part: dict[str, Any]) -> str:
    return _b64u(json.dumps(part).encode())


def _b64u(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def main() -> None:
    """Serve until the process is ended."""
    Service.keys = {
        "RS256": RSAKey.generate_key(2048, {"kid": "r", "use": "sig"}),
        "ES256": ECKey.generate_key("P-256", {"kid": "e", "use": "sig"}),
    }
    Service.codes, Service.state = {}, {}
    server = HTTPServer(("127.0.0.1", 0), Service)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
