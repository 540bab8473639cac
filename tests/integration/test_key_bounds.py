"""API keys and certificates that may do less than their member: by scope, by address, by time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from hub import clock
from hub.audit.records import AuditEvent
from hub.errors import InvalidInput
from hub.members import certificates, keys
from hub.members.bounds import Bounds
from hub.members.records import Member
from tests.commands import Commands
from tests.engines import DatabaseEngine
from tests.live import LocalHub, TestMember, local
from tests.objects import indicator
from tests.people import Browser, add_person, text_of

PROXY = "192.0.2.10"
READ, WRITE, REPORTS = "taxii:objects:read", "taxii:objects:write", "api:reports:submit"
OBJECTS = "/taxii2/plain/collections/shared/objects/"
TOKEN = re.compile(r'id="token">(hub_[\w-]+)<')


@pytest.fixture
def hub(database_engine: DatabaseEngine, tmp_path: Path) -> Iterator[LocalHub]:
    """A hub on each product in turn, behind a trusted proxy."""
    server = {"trusted_proxies": [PROXY]}
    with database_engine.migrated() as url, local(url, tmp_path, server=server) as found:
        yield found


@pytest.fixture
def member(hub: LocalHub) -> TestMember:
    return hub.add_member("Bounded Bank", roles=["contributor"])


def issue(hub: LocalHub, member: TestMember, *, days: int | None = 30, **bounds: list[str]) -> TestMember:
    """A key of a member, in the place of its first one."""
    with hub.hub.database.unit_of_work() as session:
        username, token = keys.issue(session, member.member_id, "p", "bounded", days, **bounds)
    return TestMember(member.name, member.member_id, member.identity_ref, username, token)


def status(hub: LocalHub, key: TestMember, address: str, *, forwarded: str = "", path: str = "/taxii2/") -> int:
    more = {"headers": {"X-Forwarded-For": forwarded}} if forwarded else {}
    return hub.get(path, key, environ_overrides={"REMOTE_ADDR": address}, **more).status_code


def test_a_scope_opens_its_doors_and_no_other(hub: LocalHub, member: TestMember) -> None:
    """403 with advice at the doors of the others; the member's other keys are as before."""
    reads, writes = issue(hub, member, scopes=[READ]), issue(hub, member, scopes=[WRITE])
    reports = issue(hub, member, scopes=[REPORTS])
    body = [indicator("scoped")]
    assert [hub.get(OBJECTS, key).status_code for key in (reads, writes, reports)] == [200, 403, 404]
    assert [hub.post(OBJECTS, key, body).status_code for key in (reads, writes, reports)] == [403, 202, 404]
    given = {"content_type": "application/json", "data": b"{}"}
    answers = [hub.request("POST", "/api/v1/reports", key, **given) for key in (reads, writes, reports)]
    assert [answer.status_code for answer in answers] == [403, 403, 400]
    problem = answers[0].get_json(force=True)
    assert REPORTS in problem["detail"]
    assert "this key does not" in problem["advice"]
    assert hub.get(OBJECTS, member).status_code == 200
    shown = hub.get("/taxii2/plain/collections/shared/", reads).get_json(force=True)
    assert (shown["can_read"], shown["can_write"]) == (True, False)


def test_a_scope_gives_nothing_that_the_member_has_lost(hub: LocalHub, member: TestMember) -> None:
    key = issue(hub, member, scopes=[READ, WRITE])
    assert hub.post(OBJECTS, key, [indicator("before")]).status_code == 202
    with hub.hub.database.unit_of_work() as session:
        session.get_one(Member, member.member_id).roles = ["reader"]
    assert hub.post(OBJECTS, key, [indicator("after")]).status_code == 403


def test_no_key_has_more_than_its_member(hub: LocalHub) -> None:
    reader = hub.add_member("Reading Bank")
    for scope in (WRITE, REPORTS, "console:staff:change", "*", "", "nonsense"):
        with pytest.raises(InvalidInput):
            issue(hub, reader, scopes=[scope])


def test_an_address_list_holds_for_the_real_client(hub: LocalHub, member: TestMember) -> None:
    """The address is the client's, read through trusted proxies; a header from anybody else says nothing."""
    key = issue(hub, member, networks=["198.51.100.0/24", "2001:db8::/32", "203.0.113.7"])
    for inside in ("198.51.100.1", "198.51.100.255", "2001:db8::1", "203.0.113.7", "::ffff:198.51.100.9"):
        assert status(hub, key, inside) == 200, inside
        assert status(hub, key, PROXY, forwarded=inside) == 200, inside
    for outside in ("198.51.101.1", "203.0.113.8", "2001:db9::1", "::1", PROXY, "", "nonsense"):
        assert status(hub, key, outside) == 401, outside
    assert status(hub, key, PROXY, forwarded="203.0.113.99") == 401
    assert status(hub, key, "203.0.113.99", forwarded="198.51.100.1") == 401
    assert status(hub, key, PROXY, forwarded="198.51.100.1, 203.0.113.99") == 401
    assert status(hub, member, "203.0.113.99") == 200


def test_a_wrong_address_reads_like_a_wrong_token(hub: LocalHub, member: TestMember) -> None:
    """Who has stolen a key does not learn that it is good; its owner does."""
    key = issue(hub, member, networks=["198.51.100.0/24"])
    wrong = TestMember(key.name, key.member_id, key.identity_ref, key.username, "hub_wrong")
    answers = [hub.get("/taxii2/", one, environ_overrides={"REMOTE_ADDR": "203.0.113.5"}) for one in (key, wrong)]
    bodies = [answer.get_json(force=True) for answer in answers]
    for body in bodies:
        body.pop("error_id")
    assert bodies[0] == bodies[1]
    assert [answer.status_code for answer in answers] == [401, 401]
    for _ in range(3):
        assert status(hub, key, "203.0.113.5") == 401
    assert status(hub, key, "203.0.113.6") == 401
    uses = hub.app.extensions["hub"].key_uses
    uses.flush()
    with hub.hub.database.reading() as session:
        found = keys.find(session, member.member_id, key.username)
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "credential:refuse-address")).all()
    assert (found.refusals, found.refused_address, found.last_used_at) == (5, "203.0.113.6", None)
    assert [event.subject for event in events] == [key.username] * 2, "one event for each address, not for each try"
    assert status(hub, key, "203.0.113.6") == 401
    uses.flush()
    with hub.hub.database.reading() as session:
        assert keys.find(session, member.member_id, key.username).refusals == 6
        assert (
            len(session.scalars(select(AuditEvent).where(AuditEvent.action == "credential:refuse-address")).all()) == 2
        )


def test_wrong_addresses_are_counted_as_failures(sqlite: object, tmp_path: Path) -> None:
    """So that trying addresses is limited like trying tokens."""
    with sqlite.migrated() as url, local(url, tmp_path, limits={"enabled": True, "requests_per_minute": 3}) as hub:
        key = issue(hub, hub.add_member("Limited Bank"), networks=["198.51.100.0/24"])
        with time_machine.travel(clock.now(), tick=False):
            assert [status(hub, key, "203.0.113.5") for _ in range(4)] == [401, 401, 401, 429]
            assert status(hub, key, "198.51.100.1") == 200


def test_a_key_ends_at_its_instant(hub: LocalHub, member: TestMember) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        key = issue(hub, member, days=1, scopes=[READ])
        assert status(hub, key, "192.0.2.1") == 200
        time.shift(86_400 - 1)
        assert status(hub, key, "192.0.2.1") == 200
        time.shift(1)
        assert status(hub, key, "192.0.2.1") == 401


def test_a_successor_is_bounded_alike(hub: LocalHub, member: TestMember) -> None:
    """Rotation is no way to more; both hold for the days of the overlap."""
    key = issue(hub, member, scopes=[READ], networks=["198.51.100.0/24"])
    with hub.hub.database.unit_of_work() as session:
        username, token = keys.rotate(session, member.member_id, "p", key.username, 7)
        bounds = [keys.find(session, member.member_id, one).bounds for one in (key.username, username)]
    assert bounds == [Bounds((READ,), ("198.51.100.0/24",))] * 2
    fresh = TestMember("", "", "", username, token)
    assert [status(hub, one, "198.51.100.1") for one in (key, fresh)] == [200, 200]
    assert [status(hub, one, "203.0.113.5") for one in (key, fresh)] == [401, 401]
    assert (
        hub.post(OBJECTS, fresh, [indicator("x")], environ_overrides={"REMOTE_ADDR": "198.51.100.1"}).status_code == 403
    )


@pytest.mark.parametrize(
    "text", ["198.51.100.1/24", "x", "", "1.2.3", "1.2.3.4/33", "::/129", "1" * 99, "0x7f.1", "1.2.3.4 "]
)
def test_what_is_no_network(text: str) -> None:
    roles = ["reader"]
    if text.strip() == "1.2.3.4":
        assert Bounds.of(roles, [], [text]).networks == ("1.2.3.4/32",)
        return
    with pytest.raises(InvalidInput) as refused:
        Bounds.of(roles, [], [text])
    assert refused.value.where == "networks"


def test_by_the_command(database_url: str, tmp_path: Path) -> None:
    """Made, listed, replaced and ended by an operator."""
    commands = Commands(database_url, tmp_path, HUB_BASE_URL="http://localhost")
    with local(database_url, tmp_path) as hub:
        member = hub.add_member("Command Bank", roles=["contributor"])
        options = ("--label", "SIEM", "--scope", READ, "--network", "198.51.100.0/24", "--days", "30")
        made = commands("member", "key", member.name, *options, "--json").document
        key = TestMember(member.name, member.member_id, "", made["username"], made["token"])
        assert [status(hub, key, address) for address in ("198.51.100.7", "203.0.113.5")] == [200, 401]
        listed = commands("member", "keys", member.name, "--json").document
        (shown,) = [one for one in listed if one["label"] == "SIEM"]
        assert (shown["scopes"], shown["networks"], shown["state"]) == ([READ], ["198.51.100.0/24"], "active")
        assert made["token"] not in commands("member", "keys", member.name).out
        fresh = commands("member", "rotate-key", member.name, made["username"], "--json").document
        assert fresh["username"] != made["username"]
        for username in (made["username"], fresh["username"]):
            commands("member", "revoke-key", member.name, username, "--reason", "test")
        assert status(hub, key, "198.51.100.7") == 401
        commands("member", "revoke-key", member.name, made["username"], code=1)
        wrong = commands("member", "key", member.name, "--label", "x", "--scope", "console:staff:change", code=1)
        assert "console:staff:change" in wrong.err


def test_networks_are_kept_in_one_form() -> None:
    found = Bounds.of(["reader"], [], ["2001:DB8:0::/48", "192.0.2.1", "192.0.2.1/32"]).networks
    assert found == ("192.0.2.1/32", "2001:db8::/48")
    assert all(ip_network(one) for one in found)
    with pytest.raises(InvalidInput, match="at most"):
        Bounds.of(["reader"], [], [f"192.0.2.{n}" for n in range(51)])


def test_on_the_page(hub: LocalHub, member: TestMember) -> None:
    """The primary contact ticks scopes, gives addresses, and sees where a key was refused."""
    contact = add_person(hub, "contact@bounded.test", ["primary-contact"], member.member_id)
    browser = Browser(hub).sign_in(contact)
    form = browser.get("/console/keys/new").text
    assert all(scope in form for scope in (READ, WRITE, REPORTS))
    assert "console:" not in re.sub(r'"/console[^"]*"', "", form)
    wrong = {"label": "SIEM", "days": "30", "scopes": [READ], "networks": "198.51.100.0/24\nnonsense"}
    answer = browser.send("/console/keys/new", wrong)
    assert answer.status_code == 400
    assert '<a href="#networks">' in answer.text
    foreign = browser.send("/console/keys/new", {"label": "SIEM", "days": "30", "scopes": ["console:staff:change"]})
    assert foreign.status_code == 400
    assert '<a href="#scopes">' in foreign.text
    made = browser.send("/console/keys/new", {**wrong, "networks": "198.51.100.0/24, 203.0.113.7"})
    token = TOKEN.search(made.text)[1]
    bearer = {"headers": {"Authorization": f"Bearer {token}"}}
    assert hub.get(OBJECTS, environ_overrides={"REMOTE_ADDR": "203.0.113.7"}, **bearer).status_code == 200
    assert hub.get(OBJECTS, environ_overrides={"REMOTE_ADDR": "203.0.113.8"}, **bearer).status_code == 401
    hub.app.extensions["hub"].key_uses.flush()
    with hub.hub.database.reading() as session:
        username = next(one.username for one in keys.of_member(session, member.member_id) if one.label == "SIEM")
    shown = text_of(browser.get(f"/console/keys/{username}"))
    assert f"{READ}; only from 198.51.100.0/24, 203.0.113.7/32" in shown
    assert "Refused for the address 1 time, last from 203.0.113.8" in shown
    assert f"{READ}; only from" in text_of(browser.get("/console/keys"))


def test_certificates_are_bounded_alike(hub: LocalHub, member: TestMember, certificate: tuple[bytes, bytes]) -> None:
    pem, fingerprint = certificate
    with time_machine.travel(clock.now(), tick=False) as time:
        with hub.hub.database.unit_of_work() as session:
            certificates.register(session, member.name, pem, scopes=[READ], networks=["198.51.100.0/24"], days=1)
            found = certificates.authenticate_certificate(session, fingerprint)
            with pytest.raises(InvalidInput):
                certificates.register(session, member.name, pem, scopes=["console:staff:change"])
        assert {each.value for each in found.permissions} == {READ}
        assert [str(one) for one in found.networks] == ["198.51.100.0/24"]
        assert found.good_until == clock.micros() + 86_400_000_000
        contact = add_person(hub, "c@bounded.test", ["primary-contact"], member.member_id)
        other = add_person(hub, "c@other.test", ["primary-contact"], hub.add_member("Other").member_id)
        path = f"/console/keys/certificates/{fingerprint.hex()}/revoke"
        assert f"{READ}; only from" in text_of(Browser(hub).sign_in(contact).get("/console/keys"))
        assert Browser(hub).sign_in(other).send(path, page="/console/account").status_code == 404
        for unknown in ("00", "xyz"):
            assert (
                Browser(hub)
                .sign_in(contact)
                .send(path.replace(fingerprint.hex(), unknown), page="/console/keys")
                .status_code
                == 404
            )
        assert Browser(hub).sign_in(contact).send(path, page="/console/keys").status_code == 303
        with hub.hub.database.reading() as session, pytest.raises(Exception, match="not active"):
            certificates.authenticate_certificate(session, fingerprint)
        time.shift(1)


@pytest.fixture
def certificate() -> tuple[bytes, bytes]:
    """A self-signed certificate (PEM) and its fingerprint."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bounded.example")])
    begin = clock.now() - timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(begin).not_valid_after(begin + timedelta(days=400)).sign(key, None)
    )  # fmt: skip
    return made.public_bytes(Encoding.PEM), hashlib.sha256(made.public_bytes(Encoding.DER)).digest()
