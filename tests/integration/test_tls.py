"""TLS by the hub itself, and client certificates that stand for a credential behind a trusted proxy."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import granian
import pytest
import requests
from cryptography.hazmat.primitives import hashes

from hub.errors import Conflict, InvalidInput, NotFound
from hub.members import certificates
from hub.web.proxies import CONNECTION_CERTIFICATE
from tests.commands import Commands
from tests.engines import SQLite
from tests.live import TAXII_21, LocalHub, TestMember, local
from tests.tls import Issued, issue, negotiated, serving_tls

PROXY = "192.0.2.10"
HEADER = "Client-Cert"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Issued:
    return issue(folder, "authority")


@pytest.fixture(scope="module")
def server(folder: Path, authority: Issued) -> Issued:
    return issue(folder, "server", by=authority)


def test_the_hub_serves_tls(sqlite: SQLite, tmp_path: Path, authority: Issued, server: Issued) -> None:
    """TAXII 2.1 section 8.2.2: TLS 1.2 at least, 1.3 where the client can, no suite of RFC 7540's appendix A."""
    options = ("--no-worker", "--tls-cert", str(server.cert_file), "--tls-key", str(server.key_file))
    with sqlite.migrated() as database, serving_tls(database, tmp_path, *options) as served:
        url, member = served.url, served.hub.add_member("First Bank")
        answer = requests.get(f"{url}/taxii2/", auth=member.auth, verify=str(authority.cert_file), timeout=10)
        assert answer.status_code == 200
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert negotiated(url, authority, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        assert negotiated(url, authority, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            negotiated(url, authority, ssl.TLSVersion.TLSv1_1)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            negotiated(url, authority, ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA")
        with pytest.raises((requests.ConnectionError, requests.exceptions.InvalidSchema)):
            requests.get(url.replace("https", "http") + "/healthz", timeout=10)


def test_an_answer_reaches_who_is_still_sending(
    sqlite: SQLite, tmp_path: Path, authority: Issued, server: Issued
) -> None:
    """TAXII 2.1 section 5.5: 413, however much more the member sends; RFC 9112 section 9.6.

    A connection that ended under a client which writes on would take the answer with it.
    """
    options = ("--no-worker", "--tls-cert", str(server.cert_file), "--tls-key", str(server.key_file))
    most = 2_000_000
    with (
        sqlite.migrated() as database,
        serving_tls(database, tmp_path, *options, HUB_SERVER__MAX_BODY_BYTES=str(most)) as served,
    ):
        member = served.hub.add_member("First Bank", roles=["contributor"])
        body = b" " * (10 * most)
        for sent in (body, (body[:most] for _ in range(10))):
            answer = requests.post(
                f"{served.url}/taxii2/plain/collections/shared/objects/",
                data=sent,
                auth=member.auth,
                headers={"Content-Type": TAXII_21},
                verify=str(authority.cert_file),
                timeout=30,
            )
            assert answer.status_code == 413
            assert answer.json()["http_status"] == "413"


def test_a_client_authority_is_asked_of_every_connection(
    sqlite: SQLite, tmp_path: Path, folder: Path, authority: Issued, server: Issued
) -> None:
    client = issue(folder, "client", by=authority)
    stranger = issue(folder, "stranger", by=issue(folder, "other authority"))
    trusted = str(authority.cert_file)
    options = (
        "--no-worker", "--tls-cert", str(server.cert_file), "--tls-key", str(server.key_file), "--client-ca", trusted,
    )  # fmt: skip
    with sqlite.migrated() as database, serving_tls(database, tmp_path, *options) as served:
        url, member = served.url, served.hub.add_member("First Bank")
        shown = (str(client.cert_file), str(client.key_file))
        known = requests.get(f"{url}/taxii2/", auth=member.auth, cert=shown, verify=trusted, timeout=10)
        assert known.status_code == 200
        assert requests.get(f"{url}/taxii2/", cert=shown, verify=trusted, timeout=10).status_code == 401
        unknown = (str(stranger.cert_file), str(stranger.key_file))
        for cert in (None, unknown):
            with pytest.raises(requests.ConnectionError):
                requests.get(f"{url}/taxii2/", auth=member.auth, cert=cert, verify=trusted, timeout=10)


@pytest.mark.parametrize(
    "options",
    [
        ["--tls-cert", "server.pem"],
        ["--tls-key", "server.key"],
        ["--client-ca", "authority.pem"],
        ["--tls-cert", "server.pem", "--tls-key", "authority.key"],
        ["--tls-cert", "server.key", "--tls-key", "server.key"],
    ],
    ids=" ".join,
)
def test_wrong_tls_options_stop_the_start_with_one_line(
    tmp_path: Path,
    folder: Path,
    server: Issued,
    authority: Issued,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(granian, "Granian", None)  # this process must not begin to serve, whatever it lets pass
    paths = [one if one.startswith("--") else folder / one for one in options]
    ended = Commands(f"sqlite:///{tmp_path / 'hub.db'}", tmp_path)("serve", *paths, code=1)
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    assert ended.err.startswith("hub: ")


# Behind a proxy that ends TLS.


@pytest.fixture(scope="module")
def proxied(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    server = {"trusted_proxies": [PROXY, "2001:db8:1::/48"], "client_certificate_header": HEADER}
    settings = {"server": server, "base_url": "https://hub.example", "limits": {"requests_per_minute": 20}}
    with sqlite.migrated() as url, local(url, tmp_path_factory.mktemp("hub"), **settings) as hub:
        yield hub


def _register(hub: LocalHub, member: TestMember, certificate: Issued) -> None:
    with hub.hub.database.unit_of_work() as session:
        certificates.register(session, member.member_id, certificate.pem)


def _from(address: str, value: str) -> dict[str, object]:
    return {"headers": {HEADER: value}, "environ_overrides": {"REMOTE_ADDR": address}}


def test_a_certificate_stands_for_a_credential(proxied: LocalHub, folder: Path, authority: Issued) -> None:
    member = proxied.add_member("Certified Bank", roles=["contributor"])
    own = issue(folder, "certified", by=authority)
    by_rfc = f":{base64.b64encode(own.der).decode()}:"
    by_nginx = quote(own.pem.decode())
    assert proxied.get("/taxii2/", **_from(PROXY, by_rfc)).status_code == 401, "not registered yet"
    _register(proxied, member, own)
    for address in (PROXY, "2001:db8:1::7"):
        for value in (by_rfc, by_nginx):
            answer = proxied.get("/taxii2/plain/collections/", **_from(address, value))
            assert answer.status_code == 200, answer.text
            assert answer.headers["Strict-Transport-Security"], "base_url is https"
    collections = proxied.get("/taxii2/plain/collections/", **_from(PROXY, by_rfc)).get_json(force=True)
    assert collections == proxied.get("/taxii2/plain/collections/", member).get_json(force=True)


def test_the_header_of_anybody_else_is_ignored(proxied: LocalHub, folder: Path, authority: Issued) -> None:
    member = proxied.add_member("Impersonated Bank")
    own = issue(folder, "impersonated", by=authority)
    _register(proxied, member, own)
    value = f":{base64.b64encode(own.der).decode()}:"
    assert proxied.get("/taxii2/", **_from(PROXY, value)).status_code == 200
    for address in ("127.0.0.1", "192.0.2.11", "::1", "2001:db8:2::7", ""):
        assert proxied.get("/taxii2/", **_from(address, value)).status_code == 401
    forged = {**_from("192.0.2.11", value)}
    forged["headers"] = {HEADER: value, "X-Forwarded-For": PROXY}
    assert proxied.get("/taxii2/", **forged).status_code == 401


def test_a_proxys_own_certificate_stands_for_nobody_behind_it(
    proxied: LocalHub, folder: Path, authority: Issued
) -> None:
    member = proxied.add_member("Own Certificate Bank")
    own = issue(folder, "own", by=authority)
    _register(proxied, member, own)
    for address, status in (("192.0.2.11", 200), (PROXY, 401)):
        connection = {"REMOTE_ADDR": address, CONNECTION_CERTIFICATE: own.der}
        assert proxied.get("/taxii2/", environ_overrides=connection).status_code == status


def test_a_certificate_ends_with_its_member_its_time_and_its_registration(
    proxied: LocalHub, folder: Path, authority: Issued
) -> None:
    member = proxied.add_member("Leaving Bank")
    one, two = (issue(folder, f"leaving {n}", by=authority) for n in range(2))
    for certificate in (one, two):
        _register(proxied, member, certificate)
        value = f":{base64.b64encode(certificate.der).decode()}:"
        assert proxied.get("/taxii2/", **_from(PROXY, value)).status_code == 200
    with proxied.hub.database.unit_of_work() as session:
        certificates.revoke(session, member.name, one.pem)
    revoked, standing = (f":{base64.b64encode(c.der).decode()}:" for c in (one, two))
    assert proxied.get("/taxii2/", **_from(PROXY, revoked)).status_code == 401
    assert proxied.get("/taxii2/", **_from(PROXY, standing)).status_code == 200
    proxied.suspend(member)
    assert proxied.get("/taxii2/", **_from(PROXY, standing)).status_code == 401


def test_unreadable_certificates_are_401(proxied: LocalHub) -> None:
    for value in ("x", "::", ":***:", ":AAAA", quote("-----BEGIN CERTIFICATE-----"), ":" + "A" * 20_000 + ":", "%ff"):
        assert proxied.get("/taxii2/", **_from(PROXY, value)).status_code in (401, 429), value


def test_what_cannot_stand_for_a_member_is_refused(proxied: LocalHub, folder: Path, authority: Issued) -> None:
    member, other = proxied.add_member("Careful Bank"), proxied.add_member("Other Careful Bank")
    good, expired = issue(folder, "good", by=authority), issue(folder, "expired", by=authority, days=-1)
    with proxied.hub.database.unit_of_work() as session:
        certificates.register(session, member.member_id, good.pem)
        with pytest.raises(Conflict):
            certificates.register(session, other.member_id, good.pem)
        for pem in (b"", b"no certificate", good.key_file.read_bytes(), expired.pem):
            with pytest.raises(InvalidInput):
                certificates.register(session, member.member_id, pem)
        with pytest.raises(NotFound):
            certificates.revoke(session, other.member_id, good.pem)


def test_the_command_registers_and_revokes(proxied: LocalHub, folder: Path, authority: Issued) -> None:
    member = proxied.add_member("Commanded Bank")
    own = issue(folder, "commanded", by=authority)
    value = f":{base64.b64encode(own.der).decode()}:"
    command = Commands(proxied.settings.database_location, proxied.settings.data_dir)
    for more, status in (([], 200), (["--revoke"], 401)):
        shown = command("member", "certificate", member.name, own.cert_file, "--json", *more).document
        assert shown["fingerprint"] == own.certificate.fingerprint(hashes.SHA256()).hex()
        assert proxied.get("/taxii2/", **_from(PROXY, value)).status_code == status


def test_failures_count_by_the_address_that_the_proxy_names(proxied: LocalHub) -> None:
    def fail(forwarded: str, through: str = PROXY) -> int:
        headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": forwarded}
        return proxied.get("/taxii2/", headers=headers, environ_overrides={"REMOTE_ADDR": through}).status_code

    statuses = [fail(f"10.0.0.{n}, 203.0.113.1") for n in range(25)]
    assert 429 in statuses, "what the client itself writes before the proxy's own entry changes nothing"
    assert fail("203.0.113.2") == 401
    assert fail("203.0.113.2", through="198.51.100.1") == 401
