"""Signing in through an organisation's own provider: a real one in a process of its own, honest and lying."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from click.testing import CliRunner, Result
from sqlalchemy import select
from werkzeug.test import TestResponse

from hub import clock
from hub.audit.records import AuditEvent
from hub.auth import Role
from hub.auth.permissions import MEMBER_ROLES
from hub.cli import commands
from hub.clock import DAY
from hub.errors import Conflict, InvalidInput, NotFound
from hub.members import people, providers
from hub.members.people_records import OutgoingMessage, Person
from hub.members.providers import Configuration
from hub.members.sign_in_records import ProviderSubject, SignInProvider
from tests.live import LocalHub, local
from tests.oidc_provider import CLIENT, SECRET, Provider, running
from tests.operations import staff
from tests.people import PASSWORD, Browser, add_person, invite, text_of

START = "/console/sign-in/organisation"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running() as found:
        yield found


@dataclass(frozen=True)
class Bank:
    """A member with a provider of its own."""

    hub: LocalHub
    provider: Provider
    member_id: str
    name: str
    domain: str
    path: str

    def email(self, name: str) -> str:
        return f"{name}@{self.domain}"

    def go(self, browser: Browser, **more: str) -> str:
        """To the provider and its answer: the path that the browser comes back to."""
        asked = browser.get(self.path, query_string=more)
        assert asked.status_code == 303, asked.text
        return self.provider.approve(asked.location).removeprefix("http://localhost")

    def sign_in(self, browser: Browser, **state: object) -> TestResponse:
        self.provider.tell(**state)
        return browser.get(self.go(browser))


@pytest.fixture
def bank(local_hub: LocalHub, provider: Provider, request: pytest.FixtureRequest) -> Bank:
    return make_bank(local_hub, provider, f"bank{abs(hash(request.node.nodeid))}")


def make_bank(hub: LocalHub, provider: Provider, name: str, **more: tuple[str, ...]) -> Bank:
    member, domain = hub.add_member(name), f"{name}.test"
    given = Configuration(provider.issuer, CLIENT, SECRET, (domain,), **more)
    with hub.hub.database.unit_of_work() as session:
        kept = providers.configure(session, hub.hub.vault, name, given, "operator")
    return Bank(hub, provider, member.member_id, name, domain, kept.path)


def refused(hub: LocalHub) -> str:
    with hub.hub.database.reading() as session:
        last = select(AuditEvent).where(AuditEvent.action == "session:refused").order_by(AuditEvent.id.desc())
        return str(json.loads(session.scalars(last.limit(1)).one().detail)["why"])


def test_the_provider_then_the_hubs_second_factor(bank: Bank) -> None:
    person = add_person(bank.hub, bank.email("ann"), ["reader"], bank.member_id)
    browser = Browser(bank.hub)
    answer = bank.sign_in(browser, email=person.email.upper(), subject="ann")
    assert (answer.status_code, answer.location) == (303, "/console/sign-in/code")
    assert browser.get("/console/").status_code == 303  # the provider alone opens nothing
    assert browser.send("/console/sign-in/code", {"code": person.code}).status_code == 303
    assert browser.get("/console/").status_code == 200
    assert "organisation" in text_of(browser.get("/console/account"))


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_a_second_factor_of_the_providers_counts_where_it_is_configured(
    local_hub: LocalHub, provider: Provider, alg: str
) -> None:
    bank = make_bank(local_hub, provider, f"trusting{alg.lower()}", amr=("mfa",), acr=("urn:high",))
    for name, said in (("bo", {"amr": ["pwd", "mfa"]}), ("cy", {"acr": "urn:high"})):
        person = add_person(local_hub, bank.email(name), ["reader"], bank.member_id)
        browser = Browser(local_hub)
        assert bank.sign_in(browser, email=person.email, subject=name + alg, alg=alg, **said).location == "/console/"
        assert browser.get("/console/").status_code == 200
    for said in ({}, {"amr": ["pwd"]}, {"amr": "mfa"}, {"acr": "urn:low"}, {"amr": [["mfa"]]}):
        answer = bank.sign_in(Browser(local_hub), email=bank.email("bo"), subject=f"bo{alg}", **said)
        assert answer.location == "/console/sign-in/code", said


def test_who_is_invited_comes_in_by_the_provider(local_hub: LocalHub, provider: Provider) -> None:
    bank = make_bank(local_hub, provider, "newcomers", amr=("mfa",))
    link = invite(local_hub, bank.email("di"), ["reader"], bank.member_id)
    browser = Browser(local_hub)
    assert bank.sign_in(browser, email=bank.email("di"), subject="di", amr=["mfa"]).location == "/console/"
    with local_hub.hub.database.reading() as session:
        person = people.by_email(session, bank.email("di"))
        assert (person.status, person.password_hash, person.totp_secret) == (people.ACTIVE, None, None)
        letter = session.scalars(select(OutgoingMessage).where(OutgoingMessage.recipient == person.email)).one()
        text = local_hub.hub.vault.open(letter.body, f"outgoing-message:{letter.id}").decode()
    assert f"http://localhost{bank.path}" in text
    assert browser.get(link.removeprefix("http://localhost")).status_code == 404
    # One factor does not make the other: without the provider's word there is no way in, nor to an app of one's own.
    halfway = Browser(local_hub)
    assert bank.sign_in(halfway, email=bank.email("di"), subject="di").location == "/console/sign-in/code"
    assert halfway.get("/console/sign-in/code").status_code == 409
    assert halfway.get("/console/enrol").location == "/console/sign-in/code"
    words = {"present": "x", "password": PASSWORD, "again": PASSWORD}
    assert "no password here" in text_of(browser.send("/console/account/password", words))


def test_an_invited_person_sets_up_the_app_where_the_hub_asks(bank: Bank) -> None:
    invite(bank.hub, bank.email("ed"), ["reader"], bank.member_id)
    browser = Browser(bank.hub)
    assert bank.sign_in(browser, email=bank.email("ed"), subject="ed").location == "/console/sign-in/code"
    assert browser.get("/console/sign-in/code").location == "/console/enrol"
    assert browser.get("/console/enrol").status_code == 200


def test_the_subject_counts_once_it_is_known(bank: Bank) -> None:
    first = add_person(bank.hub, bank.email("flo"), ["reader"], bank.member_id)
    other = add_person(bank.hub, bank.email("gus"), ["reader"], bank.member_id)
    assert bank.sign_in(Browser(bank.hub), email=first.email, subject="flo").status_code == 303
    # The address changes hands: the subject stays who it was, and a new subject gets nobody's account.
    assert bank.sign_in(Browser(bank.hub), email=other.email, subject="flo").status_code == 303
    with bank.hub.hub.database.reading() as session:
        linked = session.scalars(select(ProviderSubject.person_id).where(ProviderSubject.subject == "flo")).all()
    assert linked == [first.person_id]
    assert bank.sign_in(Browser(bank.hub), email=first.email, subject="somebody").status_code == 400
    assert refused(bank.hub).startswith("nobody of")


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        ("nonce", "nonce"), ("no nonce", "nonce"), ("audience", "audience"), ("two audiences", "audience"),
        ("azp", "audience"), ("none", "signature"), ("shared secret", "signature"), ("other key", "signature"),
        ("issuer", "issuer of the ID token"), ("expired", "expired"), ("future", "future"), ("no subject", "subject"),
        ("exp as text", "expired"),
    ],
)  # fmt: skip
def test_a_lying_token_opens_nothing(bank: Bank, lie: str, why: str) -> None:
    person = add_person(bank.hub, bank.email("hal"), ["reader"], bank.member_id)
    browser = Browser(bank.hub)
    answer = bank.sign_in(browser, email=person.email, subject="hal", lie=lie)
    assert answer.status_code == 400
    assert "did not work" in text_of(answer)
    assert why in refused(bank.hub)
    assert browser.get("/console/sign-in/code").status_code == 303
    with bank.hub.hub.database.reading() as session:
        assert session.scalars(select(ProviderSubject).where(ProviderSubject.person_id == person.person_id)).all() == []


def test_a_discovery_document_of_another_issuer(bank: Bank) -> None:
    bank.provider.tell(lie="discovery")
    assert Browser(bank.hub).get(bank.path).status_code == 400


@pytest.mark.parametrize("said", [{"verified": False}, {"verified": "true"}, {"email": "hal@other.test"}, {"email": 7}])
def test_an_address_that_is_not_the_providers_to_vouch_for(bank: Bank, said: dict[str, object]) -> None:
    add_person(bank.hub, bank.email("hal"), ["reader"], bank.member_id)
    if said.get("email") == "hal@other.test":
        add_person(bank.hub, "hal@other.test", ["reader"], bank.member_id)
    answer = bank.sign_in(Browser(bank.hub), **{"email": bank.email("hal"), "subject": "hal2", **said})
    assert answer.status_code == 400
    assert refused(bank.hub).startswith("nobody of")


def test_a_provider_lets_in_its_own_people_only(local_hub: LocalHub, provider: Provider) -> None:
    """Another member's person, the hub's own, and a known subject through another member's provider."""
    first, second = (make_bank(local_hub, provider, name) for name in ("ownfirst", "ownsecond"))
    theirs = add_person(local_hub, f"ivy@{first.domain}", ["reader"], second.member_id)
    staff = add_person(local_hub, f"ada@{first.domain}", ["administrator"])
    for person in (theirs, staff):
        assert first.sign_in(Browser(local_hub), email=person.email, subject="x").status_code == 400
    own = add_person(local_hub, first.email("jo"), ["reader"], first.member_id)
    assert first.sign_in(Browser(local_hub), email=own.email, subject="jo-1").status_code == 303
    assert second.sign_in(Browser(local_hub), email=own.email, subject="jo-1").status_code == 400


def test_a_state_that_is_not_this_browsers(bank: Bank) -> None:
    person = add_person(bank.hub, bank.email("kay"), ["reader"], bank.member_id)
    bank.provider.tell(email=person.email, subject="kay")
    mine, theirs = Browser(bank.hub), Browser(bank.hub)
    stolen = bank.go(theirs)
    assert mine.get(stolen).status_code == 400  # nothing was begun here
    bank.go(mine)
    assert mine.get(stolen).status_code == 400  # another flow was
    assert refused(bank.hub) == "organisation: state"
    own = bank.go(mine)
    assert mine.get(own.replace("state=", "state=x")).status_code == 400
    assert mine.get(own).status_code == 400  # an answer is looked at once


def test_an_answer_is_good_once(bank: Bank) -> None:
    person = add_person(bank.hub, bank.email("lee"), ["reader"], bank.member_id)
    bank.provider.tell(email=person.email, subject="lee")
    browser = Browser(bank.hub)
    back = bank.go(browser)
    cookie = browser.client.get_cookie("hub-organisation", path="/console")
    assert (cookie.http_only, cookie.same_site, cookie.max_age) == (True, "Lax", 600)
    assert browser.get(back).status_code == 303
    assert browser.client.get_cookie("hub-organisation", path="/console") is None
    again = Browser(bank.hub)
    again.client.set_cookie("hub-organisation", cookie.value, path="/console")
    assert again.get(back).status_code == 400
    assert refused(bank.hub) == "organisation: the answer was sent twice"


def test_a_code_is_good_once(bank: Bank) -> None:
    """An old code in a new answer: the provider refuses it, since it was used, and for another verifier."""
    person = add_person(bank.hub, bank.email("mo"), ["reader"], bank.member_id)
    bank.provider.tell(email=person.email, subject="mo")
    browser = Browser(bank.hub)
    old = bank.go(browser)
    assert browser.get(old).status_code == 303
    code = parse_qs(urlsplit(old).query)["code"][0]
    fresh = parse_qs(urlsplit(bank.go(browser)).query)
    answer = browser.get(f"{START}/return", query_string={"code": code, "state": fresh["state"][0]})
    assert answer.status_code == 400
    assert refused(bank.hub) == "organisation: the provider answered 400"


@pytest.mark.parametrize(
    "query", [{}, {"state": "é"}, {"code": "x"}, {"state": "x", "code": "\0"}, {"error": "access_denied"}]
)
def test_answers_that_are_none(bank: Bank, query: dict[str, str]) -> None:
    browser = Browser(bank.hub)
    bank.provider.tell()
    bank.go(browser)
    assert browser.get(f"{START}/return", query_string=query).status_code == 400
    browser.client.set_cookie("hub-organisation", "not-base64!", path="/console")
    assert browser.get(f"{START}/return", query_string=query).status_code == 400


def test_another_issuer_in_the_answer(bank: Bank) -> None:
    """RFC 9207: mix-up of two providers."""
    bank.provider.tell(email=bank.email("hal"))
    browser = Browser(bank.hub)
    back = urlsplit(bank.go(browser))
    query = {name: value[0] for name, value in parse_qs(back.query).items()} | {"iss": "https://other.test"}
    assert browser.get(back.path, query_string=query).status_code == 400
    assert refused(bank.hub) == "organisation: issuer of the answer"


def test_a_sign_in_that_takes_too_long(bank: Bank) -> None:
    bank.provider.tell(email=bank.email("hal"))
    browser = Browser(bank.hub)
    back = bank.go(browser)
    cookie = browser.client.get_cookie("hub-organisation", path="/console").value
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        late = Browser(bank.hub)
        late.client.set_cookie("hub-organisation", cookie, path="/console")
        assert late.get(back).status_code == 400
    assert "too long" in refused(bank.hub)


def test_where_it_goes_on_to(local_hub: LocalHub, provider: Provider) -> None:
    bank = make_bank(local_hub, provider, "onward", amr=("mfa",))
    add_person(local_hub, bank.email("nia"), ["reader"], bank.member_id)
    provider.tell(email=bank.email("nia"), subject="nia", amr=["mfa"])
    for wanted, goes in (("/console/account", "/console/account"), ("https://evil.test/", "/console/"),
                         ("//evil.test", "/console/")):  # fmt: skip
        browser = Browser(local_hub)
        assert browser.get(bank.go(browser, next=wanted)).location == goes


def test_nobody_learns_which_organisations_sign_in_so(bank: Bank) -> None:
    person = add_person(bank.hub, bank.email("oz"), ["reader"], bank.member_id)
    answers = [
        Browser(bank.hub).send(START, {"email": email}) for email in (person.email, "nobody@other.test", "x@y.test")
    ]
    assert {(one.status_code, text_of(one)) for one in answers} == {(200, text_of(answers[0]))}
    with bank.hub.hub.database.reading() as session:
        sent = select(OutgoingMessage.recipient).where(OutgoingMessage.subject == "Where you sign in")
        assert session.scalars(sent.where(OutgoingMessage.recipient == person.email)).all() == [person.email]
    assert Browser(bank.hub).get(f"{START}/no-such").status_code == 404


def test_without_a_provider_that_answers(bank: Bank) -> None:
    with bank.hub.hub.database.unit_of_work() as session:
        session.scalars(
            select(SignInProvider).where(SignInProvider.member_id == bank.member_id)
        ).one().issuer = "http://127.0.0.1:9"
    assert Browser(bank.hub).get(bank.path).status_code == 503


def test_another_issuer_ends_what_the_first_one_began(bank: Bank) -> None:
    person = add_person(bank.hub, bank.email("pat"), ["reader"], bank.member_id)
    browser = Browser(bank.hub)
    bank.sign_in(browser, email=person.email, subject="pat")
    browser.send("/console/sign-in/code", {"code": person.code})
    assert browser.get("/console/").status_code == 200
    with bank.hub.hub.database.unit_of_work() as session:
        providers.remove(session, bank.name, "operator")
    assert browser.get("/console/").status_code == 303
    assert Browser(bank.hub).get(bank.path).status_code == 404
    with bank.hub.hub.database.reading() as session:
        assert session.scalars(select(ProviderSubject).where(ProviderSubject.person_id == person.person_id)).all() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("issuer", "http://login.bank.test"), ("issuer", "https://a@login.test"), ("issuer", "file:///etc/passwd"),
        ("issuer", "https://login.test/?x"), ("issuer", "https://[::1"), ("client_id", ""), ("client_secret", ""),
        ("domains", ()), ("domains", ("not a domain",)),
    ],
)  # fmt: skip
def test_what_no_provider_can_be(bank: Bank, field: str, value: object) -> None:
    good = {"issuer": "https://login.test", "client_id": "hub", "client_secret": "s", "domains": ("bank.test",)}
    with pytest.raises(InvalidInput) as caught, bank.hub.hub.database.unit_of_work() as session:
        providers.configure(session, bank.hub.hub.vault, bank.name, Configuration(**(good | {field: value})), "x")
    assert caught.value.where == field


def test_a_subject_can_be_named_by_the_operator(bank: Bank) -> None:
    """For a provider that verifies no addresses."""
    person = add_person(bank.hub, bank.email("quin"), ["reader"], bank.member_id)
    with bank.hub.hub.database.unit_of_work() as session:
        providers.link(session, bank.name, person.email, "q-1", "operator")
        with pytest.raises(Conflict):
            providers.link(session, bank.name, person.email, "q-2", "operator")
        with pytest.raises(NotFound):
            providers.link(session, bank.name, "nobody@bank.test", "q-3", "operator")
    answer = bank.sign_in(Browser(bank.hub), email=person.email, verified=False, subject="q-1")
    assert answer.location == "/console/sign-in/code"


def test_the_secret_is_sealed(bank: Bank) -> None:
    with bank.hub.hub.database.reading() as session:
        kept = session.scalars(select(SignInProvider).where(SignInProvider.member_id == bank.member_id)).one()
        told = session.scalars(select(AuditEvent.detail).where(AuditEvent.subject == bank.member_id)).all()
    assert SECRET.encode() not in kept.client_secret
    assert SECRET not in "".join(told)
    assert providers.client_of(bank.hub.hub.vault, kept, "http://localhost").client_secret == SECRET


def test_a_dormant_or_disabled_person_stays_out(bank: Bank) -> None:
    person = add_person(bank.hub, bank.email("rae"), ["reader"], bank.member_id)
    with bank.hub.hub.database.unit_of_work() as session:
        session.get_one(Person, person.person_id).last_seen_at = clock.micros() - 90 * DAY
    assert bank.sign_in(Browser(bank.hub), email=person.email, subject="rae").status_code == 400
    assert refused(bank.hub) == people.DORMANT


def test_the_command(bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    hub, kept = bank.hub, tmp_path / "secret.txt"
    kept.write_text(f"{SECRET}\n")
    monkeypatch.setenv("HUB_DATABASE_URL", hub.settings.database_url)
    monkeypatch.setenv("HUB_DATA_DIR", str(hub.settings.data_dir))
    monkeypatch.setenv("HUB_BASE_URL", hub.settings.base_url)

    def run(*words: str) -> Result:
        return CliRunner().invoke(commands, ["member", "oidc", *words])

    set_up = run(
        "set", bank.name, "--issuer", provider.issuer, "--client-id", CLIENT, "--secret-file", str(kept), "--domain",
        bank.domain, "--domain", "zwei.test", "--mfa-amr", "mfa", "--json",
    )  # fmt: skip
    assert set_up.exit_code == 0, set_up.output
    assert json.loads(set_up.stdout) == {
        "issuer": provider.issuer, "client_id": CLIENT, "domains": sorted([bank.domain, "zwei.test"]),
        "mfa_amr": ["mfa"], "mfa_acr": [], "redirect_uri": f"http://localhost{START}/return",
        "sign_in_address": f"http://localhost{bank.path}",
    }  # fmt: skip
    person = add_person(hub, "sam@zwei.test", ["reader"], bank.member_id)
    assert run("link", bank.name, person.email, f"sam-{bank.name}").exit_code == 0
    assert bank.sign_in(Browser(hub), subject=f"sam-{bank.name}", amr=["mfa"]).location == "/console/"
    assert SECRET not in run("show", bank.name).output
    assert "sign in address: http://localhost" in run("show", bank.name).output
    assert run("remove", bank.name).exit_code == 0
    assert isinstance(run("show", bank.name).exception, NotFound)


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalHub]:
    with request.getfixturevalue(request.param).migrated() as url, local(url, tmp_path) as hub:
        yield hub


def test_an_administrator_sets_and_removes_a_provider_in_the_console(office: LocalHub) -> None:
    member = office.add_member("Console Bank")
    contact = add_person(office, "contact@console.test", ["primary-contact"], member.member_id)
    reader = add_person(office, "reader@console.test", ["reader"], member.member_id)
    page = f"/console/members/{member.member_id}/sign-in"
    browser = staff(office, Role.ADMINISTRATOR)
    assert "has no provider of its own" in text_of(browser.get(page))
    given = {
        "step": "set", "issuer": "https://login.console.test", "client_id": "hub", "client_secret": "very-secret",
        "domains": "console.test\nmail.console.test", "amr": "mfa", "why": "asked for in writing", "present": PASSWORD,
    }  # fmt: skip
    for field, value in (("present", "wrong"), ("issuer", "http://login.test"), ("domains", "-"), ("why", "")):
        assert browser.send(page, given | {field: value}).status_code == 400, field
    with office.hub.database.reading() as session:
        assert providers.of_member(session, member.member_id) is None
    assert browser.send(page, given).status_code == 303
    shown = browser.get(page)
    assert "https://login.console.test" in text_of(shown)
    assert "very-secret" not in shown.text
    with office.hub.database.unit_of_work() as session:
        kept = providers.of_member(session, member.member_id)
        assert kept is not None
        assert (kept.domains, kept.amr, kept.acr) == (["console.test", "mail.console.test"], ["mfa"], [])
        assert providers.client_of(office.hub.vault, kept, "http://localhost").client_secret == "very-secret"
        path = kept.path
        providers.link(session, member.name, reader.email, "r-1", "operator")
    assert path in shown.text
    assert browser.send(page, {"step": "remove", "why": "it was bought", "present": PASSWORD}).status_code == 303
    with office.hub.database.reading() as session:
        assert providers.of_member(session, member.member_id) is None
        assert session.scalars(select(ProviderSubject)).all() == []
        told = session.scalars(select(OutgoingMessage.recipient).where(OutgoingMessage.subject.contains("changed")))
        assert list(told) == [contact.email, contact.email]
        events = select(AuditEvent.detail).where(AuditEvent.action.startswith("provider:")).order_by(AuditEvent.id)
        details = [json.loads(one) for one in session.scalars(events)]
    assert [one["why"] for one in details] == ["asked for in writing", "it was bought"]
    assert "very-secret" not in json.dumps(details)
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_nobody_else_does(local_hub: LocalHub, role: Role) -> None:
    member = local_hub.add_member(f"Bank beside {role}").member_id
    person = add_person(local_hub, f"{role}@beside.test", [role], member if role in MEMBER_ROLES else None)
    browser = Browser(local_hub).sign_in(person)
    assert browser.get(f"/console/members/{member}/sign-in").status_code == 403
    token = browser.token("/console/account/password")
    answer = browser.client.post(f"/console/members/{member}/sign-in", data={"csrf_token": token, "step": "remove"})
    assert answer.status_code == 403
