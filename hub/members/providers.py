"""Sign-in through a member's own OpenID Connect provider: which it is, and whom it may let in.

A provider lets in people of its own member only, and only those who were invited: by the subject that was kept at
their first sign-in, before that by a verified e-mail address of an allowed domain.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.errors import Conflict, InvalidInput, NotFound
from hub.members import due, membership, oidc, outbox, people, sessions
from hub.members.invitations import Post
from hub.members.oidc import Client, Identity
from hub.members.people_records import Person
from hub.members.sign_in_records import ProviderSubject, SignInProvider
from hub.members.vetting import wording
from hub.sealing import Vault

RETURN_PATH = "/console/sign-in/organisation/return"
LONGEST_ISSUER = 500
MOST_VALUES = 20


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an operator gives: the provider's issuer, the hub's client there, whose addresses it vouches for."""

    issuer: str
    client_id: str
    client_secret: str
    domains: tuple[str, ...]
    amr: tuple[str, ...] = ()
    acr: tuple[str, ...] = ()


def configure(
    session: Session, vault: Vault, member: str, given: Configuration, by: str, why: str = ""
) -> SignInProvider:
    """Set a member's provider, in place of an earlier one. Raises InvalidInput, NotFound.

    Another issuer means other subjects: who was known by the earlier one is matched by e-mail address anew.
    """
    whose = membership.find(session, member)
    issuer = given.issuer.strip()
    if len(issuer) > LONGEST_ISSUER or not oidc.is_safe(issuer) or "?" in issuer:
        raise InvalidInput("an issuer is an https address without a query", where="issuer")
    if not given.client_id or len(given.client_id) > LONGEST_ISSUER or not given.client_id.isprintable():
        raise InvalidInput("give the client id that the provider knows the hub by", where="client_id")
    if not given.client_secret:
        raise InvalidInput("give the client secret", where="client_secret")
    domains = sorted({wording.domain(domain, "domains") for domain in given.domains})
    if not domains or max(map(len, (domains, given.amr, given.acr))) > MOST_VALUES:
        raise InvalidInput(f"give 1 to {MOST_VALUES} e-mail domains", where="domains")
    kept = of_member(session, whose.id)
    before = None if kept is None else _told(kept)
    if kept is None:
        kept = SignInProvider(id=str(uuid.uuid4()), member_id=whose.id, created_at=clock.micros())
        session.add(kept)
    elif kept.issuer != issuer:
        _forget_subjects(session, kept)
    kept.issuer, kept.client_id, kept.domains = issuer, given.client_id, domains
    kept.amr, kept.acr = sorted(set(given.amr)), sorted(set(given.acr))
    kept.client_secret = vault.seal(given.client_secret.encode(), _context(kept.id))
    session.flush()
    record(session, by, "provider:configure", whose.id, before=before, after=_told(kept), why=why)
    return kept


def remove(session: Session, member: str, by: str, why: str = "") -> None:
    """End sign-in through a member's provider, with the sessions of those who came by it. Raises NotFound."""
    whose = membership.find(session, member)
    kept = of_member(session, whose.id)
    if kept is None:
        raise NotFound(f"{whose.name} has no provider of its own")
    _forget_subjects(session, kept)
    session.delete(kept)
    session.flush()
    record(session, by, "provider:remove", whose.id, before=_told(kept), why=why)


def of_member(session: Session, member_id: str) -> SignInProvider | None:
    """A member's provider, None where it has none."""
    return session.scalar(select(SignInProvider).where(SignInProvider.member_id == member_id))


def tell_contacts(session: Session, post: Post, member_id: str, way: str) -> None:
    """Tell a member's primary contacts which way its people sign in from now on: it was not they who changed it."""
    whose, hub = membership.find(session, member_id), post.settings.identity.name
    for person in due.contacts(session, member_id):
        text = (
            f"Hello {person.name},\n\nthe people of {whose.name} sign in to {hub} {way} from now on: an administrator"
            " of the hub has set this. If nobody of your organisation asked for it, tell the hub at once.\n"
        )
        outbox.put(session, post.vault, person.email, f"How {whose.name} signs in has changed", text)


def find(session: Session, provider_id: str) -> SignInProvider:
    """A provider by the id in its address. Raises NotFound."""
    found = session.get(SignInProvider, provider_id)
    if found is None:
        raise NotFound("there is no such sign-in", advice="Ask your organisation's primary contact for its address.")
    return found


def client_of(vault: Vault, provider: SignInProvider, base_url: str) -> Client:
    """The hub as a client of ``provider``."""
    return Client(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=vault.open(provider.client_secret, _context(provider.id)).decode(),
        redirect_uri=f"{base_url}{RETURN_PATH}",
        domains=frozenset(provider.domains),
        amr=frozenset(provider.amr),
        acr=frozenset(provider.acr),
    )


def person_of(session: Session, provider: SignInProvider, identity: Identity) -> Person | None:
    """Whom an identity stands for, None for nobody who may come in by this provider."""
    known = session.get(ProviderSubject, (identity.issuer, identity.subject))
    if known is not None:
        person = session.get_one(Person, known.person_id, with_for_update=True)
        return person if person.member_id == provider.member_id else None
    found = people.by_email(session, identity.email) if identity.email else None
    if found is None or found.member_id != provider.member_id or _subject_of(session, provider, found) is not None:
        return None
    person = session.get_one(Person, found.id, with_for_update=True)
    session.add(
        ProviderSubject(
            issuer=identity.issuer, subject=identity.subject, person_id=person.id, created_at=clock.micros()
        )
    )
    session.flush()
    record(session, person.id, "person:link", person.id, after={"issuer": identity.issuer})
    return person


def link(session: Session, member: str, email: str, subject: str, by: str) -> None:
    """Say which subject somebody is, for a provider that verifies no addresses. Raises NotFound, Conflict."""
    whose = membership.find(session, member)
    provider, person = of_member(session, whose.id), people.by_email(session, email)
    if provider is None or person is None or person.member_id != whose.id:
        raise NotFound(f"{whose.name} has no provider of its own, or nobody with this address")
    name = wording.line(subject, "subject", most=oidc.LONGEST_SUBJECT)
    if session.get(ProviderSubject, (provider.issuer, name)) or _subject_of(session, provider, person):
        raise Conflict("this subject or this person is linked already", where="subject")
    session.add(
        ProviderSubject(issuer=provider.issuer, subject=name, person_id=person.id, created_at=clock.micros())
    )  # fmt: skip
    session.flush()
    record(session, by, "person:link", person.id, after={"issuer": provider.issuer})


def send_address(session: Session, post: Post, email: str) -> None:
    """Tell a person where their organisation signs in; nothing where there is nobody to tell."""
    person = people.by_email(session, email)
    provider = of_member(session, person.member_id) if person is not None and person.member_id else None
    if person is None or provider is None or person.status == people.DISABLED:
        record(session, "nobody", "person:address-asked", "nobody")  # a write too: both take the same time
        return
    text = (
        f"Hello {person.name},\n\nyou sign in to {post.settings.identity.name} with your account at"
        f" {membership.find(session, provider.member_id).name}:\n\n{post.settings.base_url}{provider.path}\n\n"
        "Keep this address among your bookmarks.\n"
    )
    outbox.put(session, post.vault, person.email, "Where you sign in", text)
    record(session, person.id, "person:address-asked", person.id)


def trusts_second_factor(provider: SignInProvider) -> bool:
    """Whether the provider's word on a second factor counts."""
    return bool(provider.amr or provider.acr)


def _subject_of(session: Session, provider: SignInProvider, person: Person) -> ProviderSubject | None:
    return session.scalar(
        select(ProviderSubject).where(
            ProviderSubject.person_id == person.id, ProviderSubject.issuer == provider.issuer
        )
    )  # fmt: skip


def _forget_subjects(session: Session, provider: SignInProvider) -> None:
    """The provider's people are known no longer, and those who are signed in are not."""
    own = select(Person.id).where(Person.member_id == provider.member_id)
    gone = session.scalars(
        delete(ProviderSubject)
        .where(ProviderSubject.issuer == provider.issuer, ProviderSubject.person_id.in_(own))
        .returning(ProviderSubject.person_id)
    ).all()
    for person_id in gone:
        sessions.revoke_all(session, person_id)


def _told(provider: SignInProvider) -> dict[str, object]:
    """What the audit log keeps: everything but the secret."""
    return {
        "issuer": provider.issuer, "client_id": provider.client_id, "domains": provider.domains, "amr": provider.amr,
        "acr": provider.acr,
    }  # fmt: skip


def _context(provider_id: str) -> str:
    return f"sign-in-provider:{provider_id}"
