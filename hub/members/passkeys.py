"""Passkeys (WebAuthn level 2): enrolled by somebody who is signed in, then good for signing in without a password.

The authenticator verifies its user (a finger, a face, a PIN), so a passkey is both factors at once. A challenge
carries its own proof (purpose, browser and session, end) and is good once; nothing is stored before it is used.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import select
from sqlalchemy.orm import Session
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hub import clock
from hub.audit import record
from hub.errors import Conflict, HubError, InvalidInput, NotFound
from hub.members import spent
from hub.members.people_records import Person
from hub.members.sign_in_records import Passkey
from hub.sealing import Vault
from hub.settings import Settings

ENROL, SIGN_IN = "enrol", "sign-in"
GOOD_FOR = 5 * 60_000_000
TIMEOUT_MS = 120_000
MOST_PASSKEYS = 10
LONGEST_NAME = 60
# An answer with an attestation certificate has some 2 KB.
LONGEST_ANSWER = 20_000
RANDOM_BYTES, END_BYTES, PROOF_BYTES = 24, 8, 32
NOT_RIGHT = "The passkey could not be used. Try again, or choose another way"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The hub, as authenticators know it: passkeys are bound to this host name."""

    host: str
    origin: str
    name: str
    vault: Vault


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose passkey it was, and which."""

    person: Person
    passkey: Passkey


def relying_party(settings: Settings, vault: Vault) -> RelyingParty | None:
    """The hub as a relying party, None where people reach it by a bare address: passkeys need a host name."""
    host = urlsplit(settings.base_url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(host, settings.base_url, settings.identity.name, vault)
    return None


def options_to_enrol(party: RelyingParty, person: Person, held: list[Passkey], binding: str) -> str:
    """What the browser asks an authenticator for to make a passkey, as JSON. ``binding`` names browser and session."""
    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=party.host,
            rp_name=party.name,
            user_id=_handle(person.id),
            user_name=person.email,
            user_display_name=person.name,
            challenge=_challenge(party, ENROL, binding),
            timeout=TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=_described(held),
        )
    )


def options_to_sign_in(party: RelyingParty, binding: str, held: list[Passkey] | None = None) -> str:
    """What the browser asks for to sign in, as JSON: any passkey of this hub, or one of ``held``."""
    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=party.host,
            challenge=_challenge(party, SIGN_IN, binding),
            timeout=TIMEOUT_MS,
            allow_credentials=_described(held) if held else None,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def enrol(session: Session, party: RelyingParty, person: Person, name: str, answer: str, binding: str) -> Passkey:
    """Keep the passkey that a browser has made. Raises InvalidInput, Conflict."""
    label = " ".join(name.split())
    if not label or len(label) > LONGEST_NAME or not label.isprintable():
        raise InvalidInput(f"Enter a name of up to {LONGEST_NAME} characters", where="name")
    if len(of_person(session, person.id)) >= MOST_PASSKEYS:
        raise Conflict(f"you have {MOST_PASSKEYS} passkeys already: remove one first")
    with _reading_a_stranger():
        given = parse_registration_credential_json(_bounded(answer))
    challenge = _spent(session, party, ENROL, binding, given)
    with _reading_a_stranger():
        made = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    if session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id)) is not None:
        raise Conflict("this passkey is enrolled already")
    kept = Passkey(
        id=str(uuid.uuid4()), person_id=person.id, credential_id=made.credential_id,
        public_key=made.credential_public_key, sign_count=made.sign_count, name=label,
        backed_up=made.credential_backed_up, created_at=clock.micros(), last_used_at=None,
    )  # fmt: skip
    session.add(kept)
    session.flush()
    record(session, person.id, "passkey:enrol", person.id, after={"passkey": kept.id, "name": label})
    return kept


def recognise(session: Session, party: RelyingParty, answer: str, binding: str) -> Holder:
    """Who has answered a challenge to sign in, and by which passkey. Raises InvalidInput.

    The counter is compared after the signature: one that does not rise tells of a copied authenticator (WebAuthn
    level 2, section 6.1.1), and only the authenticator itself can say so.
    """
    with _reading_a_stranger():
        given = parse_authentication_credential_json(_bounded(answer))
    challenge = _spent(session, party, SIGN_IN, binding, given)
    passkey = session.scalar(select(Passkey).where(Passkey.credential_id == given.raw_id).with_for_update())
    if passkey is None:
        raise InvalidInput(NOT_RIGHT, where="unknown passkey")
    with _reading_a_stranger():
        used = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    handle = given.response.user_handle
    if handle is not None and not hmac.compare_digest(handle, _handle(passkey.person_id)):
        raise InvalidInput(NOT_RIGHT, where="another person's handle")
    if passkey.sign_count and used.new_sign_count <= passkey.sign_count:
        raise InvalidInput(NOT_RIGHT, where=f"the counter of passkey {passkey.id} did not rise: it may be a copy")
    passkey.sign_count, passkey.backed_up = used.new_sign_count, used.credential_backed_up
    passkey.last_used_at = clock.micros()
    session.flush()
    return Holder(session.get_one(Person, passkey.person_id), passkey)


def of_person(session: Session, person_id: str) -> list[Passkey]:
    """A person's passkeys, the oldest first."""
    return list(
        session.scalars(select(Passkey).where(Passkey.person_id == person_id).order_by(Passkey.created_at, Passkey.id))
    )


def remove(session: Session, person_id: str, passkey_id: str) -> str:
    """Remove one of a person's passkeys; its name. Raises NotFound, also for another's."""
    found = session.get(Passkey, passkey_id)
    if found is None or found.person_id != person_id:
        raise NotFound("there is no such passkey")
    session.delete(found)
    session.flush()
    record(session, person_id, "passkey:remove", person_id, before={"passkey": passkey_id, "name": found.name})
    return found.name


def _challenge(party: RelyingParty, purpose: str, binding: str) -> bytes:
    """Random, its end, and the proof that it was given for this purpose to this browser."""
    plain = secrets.token_bytes(RANDOM_BYTES) + (clock.micros() + GOOD_FOR).to_bytes(END_BYTES, "big")
    return plain + _proof(party, purpose, binding, plain)


def _proof(party: RelyingParty, purpose: str, binding: str, plain: bytes) -> bytes:
    return hmac.digest(party.vault.derive("passkey-challenge"), f"{purpose}\0{binding}\0".encode() + plain, "sha256")


def _spent(
    session: Session,
    party: RelyingParty,
    purpose: str,
    binding: str,
    given: RegistrationCredential | AuthenticationCredential,
) -> bytes:
    """The challenge that was answered, now used up. Raises InvalidInput unless it was given here, lately, for this."""
    with _reading_a_stranger():
        challenge = parse_client_data_json(given.response.client_data_json).challenge
    plain, proof = challenge[:-PROOF_BYTES], challenge[-PROOF_BYTES:]
    if len(challenge) != RANDOM_BYTES + END_BYTES + PROOF_BYTES:
        raise InvalidInput(NOT_RIGHT, where="challenge")
    if not hmac.compare_digest(proof, _proof(party, purpose, binding, plain)):
        raise InvalidInput(NOT_RIGHT, where="challenge")
    end = int.from_bytes(plain[RANDOM_BYTES:], "big")
    if end <= clock.micros() or not spent.spend(session, challenge, end):
        raise InvalidInput("That took too long, or was sent twice. Try again", where="challenge")
    return challenge


@contextmanager
def _reading_a_stranger() -> Iterator[None]:
    """Whatever the bytes of a stranger do to a parser of JSON, CBOR, COSE or ASN.1, it is invalid input."""
    try:
        yield
    except HubError:
        raise
    except Exception:
        raise InvalidInput(NOT_RIGHT, where="not verified") from None


def _bounded(answer: str) -> str:
    if not answer or len(answer) > LONGEST_ANSWER:
        raise InvalidInput(NOT_RIGHT, where="answer")
    return answer


def _described(held: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one.credential_id) for one in held]


def _handle(person_id: str) -> bytes:
    """The user handle: opaque, without an e-mail address in it (WebAuthn level 2, section 14.6.1)."""
    return hashlib.sha256(f"passkey-user\0{person_id}".encode()).digest()
