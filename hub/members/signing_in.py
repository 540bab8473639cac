"""Signing in: the password, then the second factor, with a back-off after wrong ones; or a passkey, which is both;
or the organisation's own sign-in, then the second factor unless the provider has asked for one.

Whoever asks learns nothing but "that was not right": an unknown address, a wrong password, a locked, dormant or
disabled person and a suspended member are answered in the same words, after the same work.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.clock import DAY
from hub.errors import InvalidInput, Unauthenticated
from hub.members import invitations, passkeys, people, providers, second_factor, sessions
from hub.members.oidc import Identity
from hub.members.passkeys import RelyingParty
from hub.members.people_records import Person
from hub.members.sessions import Visit
from hub.members.sign_in_records import SignInProvider
from hub.sealing import Vault
from hub.settings import Console

# Wrong answers that cost nothing; from the next on each doubles the wait, up to an hour.
FREE_FAILURES = 5
FIRST_WAIT = 60_000_000
LONGEST_WAIT = 60 * 60_000_000
# Who is named in the audit log where an address belongs to nobody.
NOBODY = "nobody"


def stored_password(session: Session, email: str) -> str | None:
    """What to compare the given password with, outside any transaction; None where nobody could sign in."""
    person = people.by_email(session, email)
    return None if person is None else person.password_hash


def give_password(session: Session, email: str, matched: bool, visit: Visit, limits: Console) -> str | None:
    """Begin a session after the password was compared; its token, or None where that was not right."""
    person = people.by_email(session, email)
    if person is None or person.password_hash is None:
        _note_refusal(session, NOBODY, "unknown", visit)
        return None
    if person.locked_until > clock.micros():
        _note_refusal(session, person.id, "locked", visit)
        return None
    if not matched:
        _count_failure(session, person, visit, "password")
        return None
    if not _may_begin(session, person, visit, limits):
        return None
    return sessions.begin(session, person, visit, limits)


def give_passkey(
    session: Session, party: RelyingParty, answer: str, binding: str, visit: Visit, limits: Console
) -> str | None:
    """Sign in by a passkey, which is both factors; the session's token, or None where it was not right.

    A lock-out after wrong passwords does not hold here: a passkey cannot be guessed. Nor does a wrong answer count
    against the person: anybody can send one.
    """
    try:
        with session.begin_nested():
            holder = passkeys.recognise(session, party, answer, binding)
    except InvalidInput as error:
        _note_refusal(session, NOBODY, f"passkey: {error.where}", visit)
        return None
    if holder.person.status != people.ACTIVE or not _may_begin(session, holder.person, visit, limits):
        _note_refusal(session, holder.person.id, holder.person.status, visit)
        return None
    return sessions.begin_whole(session, holder.person, visit, limits, sessions.PASSKEY)


def give_identity(
    session: Session, provider: SignInProvider, identity: Identity, visit: Visit, limits: Console
) -> tuple[str, bool] | None:
    """Sign in by an organisation's own sign-in: (token, whether it is whole), None for who may not come in."""
    person = providers.person_of(session, provider, identity)
    if person is None:
        _note_refusal(session, NOBODY, f"nobody of {provider.issuer}", visit)
        return None
    if person.status == people.INVITED:
        people.move(session, person, people.IDENTITY_CHECKED, person.id, "signed in through the organisation")
        invitations.end_links(session, person.id)
    if not _may_begin(session, person, visit, limits):
        return None
    if identity.second_factor:
        for status in (people.MFA_ENROLLED, people.ACTIVE):
            if status in people.NEXT[person.status]:
                people.move(session, person, status, person.id, "the organisation's second factor")
        return sessions.begin_whole(session, person, visit, limits, sessions.ORGANISATION), True
    return sessions.begin(session, person, visit, limits, sessions.ORGANISATION), False


def may_enrol(session: Session, token: str, person: Person) -> bool:
    """Whether the holder of a half session may set up the authenticator app.

    At first everybody may. Afterwards only who has come through an organisation whose provider is not the one to ask
    for the second factor: else one factor would be enough to make the other.
    """
    if person.totp_secret is not None:
        return False
    if person.status != people.ACTIVE:
        return True
    provider = providers.of_member(session, person.member_id) if person.member_id else None
    by_organisation = sessions.half_of(session, token).begun_by == sessions.ORGANISATION
    return by_organisation and provider is not None and not providers.trusts_second_factor(provider)


def give_code(
    session: Session, vault: Vault, token: str, person_id: str, code: str, visit: Visit, limits: Console
) -> str | None:
    """Finish a session by a code of the app or a recovery code; its new token, or None where it was not right."""
    person = session.get_one(Person, person_id, with_for_update=True)
    if person.locked_until > clock.micros():
        return None
    secret = second_factor.opened(vault, person)
    if secret is None or person.status != people.ACTIVE:
        return None
    step = second_factor.step_of(secret, code, person.totp_step)
    if step is not None:
        person.totp_step = step
    elif second_factor.use_recovery_code(session, person, code):
        record(session, person.id, "person:recovery-code", person.id, after={"address": visit.address})
    else:
        _count_failure(session, person, visit, "code")
        return None
    return sessions.complete(session, token, visit, limits)


def enrol(
    session: Session, vault: Vault, token: str, person_id: str, secret: str, code: str, visit: Visit, limits: Console
) -> tuple[str, list[str]]:
    """Take a person's first second factor: the session's new token, and the recovery codes.

    Raises InvalidInput where the code is not the app's.
    """
    person = session.get_one(Person, person_id, with_for_update=True)
    if not may_enrol(session, token, person):
        raise Unauthenticated("sign in again")
    step = second_factor.step_of(secret, code, 0)
    if step is None:
        raise InvalidInput(
            "The code is not right. Check the time of your phone and enter the newest code", where="code"
        )
    person.totp_secret, person.totp_step = second_factor.seal(vault, person.id, secret), step
    if person.status == people.ACTIVE:
        record(session, person.id, "person:second-factor", person.id)
    else:
        people.move(session, person, people.MFA_ENROLLED, person.id)
        people.move(session, person, people.ACTIVE, person.id)
    codes = second_factor.new_recovery_codes(session, person)
    return sessions.complete(session, token, visit, limits), codes


def note_refusal(session: Session, why: str, visit: Visit) -> None:
    """Keep that a sign-in was refused before anybody was recognised."""
    _note_refusal(session, NOBODY, why, visit)


def change_password(session: Session, person_id: str, password_hash: str, session_id: str) -> None:
    """Set a person's own new password; every other session of theirs ends."""
    person = session.get_one(Person, person_id)
    person.password_hash = password_hash
    sessions.revoke_all(session, person_id, but=session_id)
    session.flush()
    record(session, person_id, "person:password", person_id, why="changed")


def confirm(session: Session, person: Person, matched: bool, visit: Visit) -> bool:
    """Whether somebody who is signed in has given their password again, ``matched`` being the comparison's answer."""
    if person.locked_until > clock.micros():
        return False
    if not matched:
        _count_failure(session, person, visit, "password")
    return matched


def renew_recovery_codes(session: Session, person_id: str) -> list[str]:
    """Ten new recovery codes in place of the earlier ones."""
    codes = second_factor.new_recovery_codes(session, session.get_one(Person, person_id))
    record(session, person_id, "person:recovery-codes", person_id)
    return codes


def _count_failure(session: Session, person: Person, visit: Visit, what: str) -> None:
    person.failures += 1
    beyond = person.failures - FREE_FAILURES
    if beyond >= 0:
        person.locked_until = clock.micros() + min(FIRST_WAIT * 2 ** min(beyond, 10), LONGEST_WAIT)
    session.flush()
    detail = {"what": what, "failures": person.failures, "address": visit.address}
    record(session, person.id, "session:refused", person.id, after=detail)


def _note_refusal(session: Session, subject: str, why: str, visit: Visit) -> None:
    """Each refusal writes one event, whatever its reason: so they take the same time. The address is not kept."""
    record(session, subject, "session:refused", subject, after={"address": visit.address}, why=why)


def _may_begin(session: Session, person: Person, visit: Visit, limits: Console) -> bool:
    """Whether a session may begin for somebody who was recognised; who stayed away too long becomes dormant."""
    if person.status == people.ACTIVE and _is_late(person, limits.dormant_days):
        people.move(session, person, people.DORMANT, people.RULE, people.stayed_away(limits.dormant_days))
    if person.status in sessions.PASSWORD_STAGE:
        return True
    _note_refusal(session, person.id, person.status, visit)
    return False


def _is_late(person: Person, days: int) -> bool:
    return (person.last_seen_at or person.created_at) < clock.micros() - days * DAY
