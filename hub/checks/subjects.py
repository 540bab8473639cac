"""What can be filed and checked: the kinds of identifier, each with its one canonical text.

People are found by their name together with a birth date or a postcode, never by a name alone. National
insurance numbers and passport numbers are for checking only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple

from stdnum import imei
from stdnum.exceptions import ValidationError as BadNumber

from hub.errors import InvalidInput
from hub.stix.cards import contains_card
from hub.stix.values import Kind, Value, canonical, sort_code_account_of
from hub.stix.values.kinds import RefusedValue


class SubjectKind(StrEnum):
    """What an identifier is; the texts are those of ``hub.stix.values.Kind`` where it has the kind."""

    BANK_ACCOUNT = "bank-account"
    IBAN = "iban"
    PHONE = "phone"
    EMAIL = "email"
    BTC = "btc"
    ETH = "eth"
    XMR = "xmr"
    LTC = "ltc"
    TRX = "trx"
    WALLET = "wallet"
    COMPANY = "company"
    SOCIAL_HANDLE = "social-handle"
    URL = "url"
    DOMAIN = "domain"
    VEHICLE = "vehicle"
    DEVICE = "device"
    PERSON = "person"
    NINO = "nino"
    PASSPORT = "passport"


# Never published, whoever files them: they answer checks only.
CHECKING_ONLY: Final = frozenset(
    {SubjectKind.DEVICE, SubjectKind.PERSON, SubjectKind.NINO, SubjectKind.PASSPORT}
)  # fmt: skip
# Their canonical form does not by itself rule out that a card's number stands within.
_WORDED: Final = frozenset({SubjectKind.EMAIL, SubjectKind.URL, SubjectKind.DOMAIN})
_INDICATOR_KINDS: Final = {kind.value: kind for kind in Kind}

_MOST_NAME: Final = 200
_TITLES: Final = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "rev", "reverend"}
)  # fmt: skip
_POSTCODE: Final = re.compile(r"(GIR|[A-Z]{1,2}[0-9][0-9A-Z]?)([0-9][A-Z]{2})")
_OLDEST_BIRTH: Final = date(1900, 1, 1)
# HMRC's NIM39110: letters that are never used, and the prefixes that are not allocated. QQ is kept for examples.
_NINO: Final = re.compile(
    r"(?:QQ|(?!BG|GB|KN|NK|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z])[0-9]{6}[A-D]"
)  # fmt: skip
_PASSPORT: Final = re.compile(r"([A-Z]{3}|D) ?[:/ ] ?([A-Z0-9](?:[ -]?[A-Z0-9]){4,8})")
# The number, its check digit and the country, as the second line of the machine readable zone begins.
_PASSPORT_MRZ: Final = re.compile(r"([A-Z0-9<]{9})([0-9])([A-Z]{3}|D<<).*")
_DEVICE: Final = re.compile(r"(fingerprint|android-id|idfa|idfv):([a-z0-9._:-]{6,128})")
_MAC: Final = re.compile(r"[0-9a-f]{12}")
# Letters that are no letter with a mark (Unicode 3.13 decomposes none of them), as they are written without their own.
_PLAIN_LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
# A person's whole name with the postcode: what father and son may share.
NAME_AND_POSTCODE: Final = "person-name-postcode"


@dataclass(frozen=True, slots=True)
class Person:
    """A person's canonical parts: folded name, ISO birth date, UK postcode; at least one beside the name."""

    name: str
    born: str | None = None
    postcode: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """An identifier whose ``text`` is canonical; two are the same when kind and text are equal."""

    kind: SubjectKind
    text: str
    person: Person | None = None

    @property
    def value(self) -> Value | None:
        """The indicator value that this is, None for what only checking knows."""
        kind = None if self.kind in CHECKING_ONLY else _INDICATOR_KINDS.get(self.kind.value)
        return None if kind is None else Value(kind, self.text)


class Term(NamedTuple):
    """One text under which a subject is found. ``facet`` separates the texts of different natures.

    ``exact``: a match is one of the whole identifier. Otherwise (a birth date alone, a mailbox without its
    plus-tag) it makes at most a "possible" one; for people the names have to be compared then.
    """

    facet: str
    text: str
    exact: bool = True


def canonical_subject(kind: SubjectKind, raw: str | Mapping[str, Any]) -> Subject:
    """The subject that ``raw`` spells; for a person a mapping of ``name``, ``date_of_birth`` and ``postcode``.

    Where the content shows a nearer kind (a wallet's chain), the subject has that one. Raises InvalidInput;
    the message repeats nothing of ``raw``, and a full card number is refused whatever it is called.
    """
    if kind is SubjectKind.PERSON:
        if not isinstance(raw, Mapping):
            raise InvalidInput(
                "a person is a name with a date of birth or a postcode", advice="A name alone is not searched."
            )
        return _person(raw)
    if not isinstance(raw, str) or not raw.strip():
        raise InvalidInput(f"a {kind.value} is given as text")
    if (own := _OWN.get(kind)) is not None:
        return Subject(kind, own(raw))
    try:
        found = canonical(Kind(kind.value), raw)
    except RefusedValue as error:
        raise InvalidInput(error.reason, advice=error.advice) from None
    if kind in _WORDED:
        refuse_card(raw)
    if kind is SubjectKind.SOCIAL_HANDLE:
        _refuse_address(found.text)
    try:
        return Subject(SubjectKind(found.kind.value), found.text)
    except ValueError:
        raise InvalidInput(f"this is of the kind {found.kind.value}, which is not checked here") from None


def terms(subject: Subject) -> list[Term]:
    """The texts under which ``subject`` is filed and searched, the nearest first.

    A British IBAN is also its sort code and account; a mailbox with a plus-tag is also the one without.
    """
    if subject.person is not None:
        return _person_terms(subject.person)
    nearest = Term(_FACETS[subject.kind], subject.text)
    further = _FURTHER.get(subject.kind)
    return [nearest, *further(subject.text)] if further else [nearest]


def indicator_values(subject: Subject) -> list[Value]:
    """The indicator values that ``subject`` is; a British IBAN is also its sort code and account."""
    return [
        Value(_INDICATOR_KINDS[one.facet], one.text)
        for one in terms(subject)
        if one.exact and one.facet in _INDICATOR_KINDS
    ]


def canonical_name(raw: str) -> str:
    """A name for comparison: folded, in plain letters, without titles and punctuation, its words in alphabetical
    order.
    """
    folded = raw
    for _ in range(2):  # twice, so that folding is stable (Unicode 3.13 D146)
        parted = unicodedata.normalize("NFKD", folded.casefold())
        folded = "".join(character for character in parted if not unicodedata.combining(character))
        folded = folded.translate(_PLAIN_LETTERS)
    words = re.sub(r"[^\w\s-]", "", folded).replace("-", " ").replace("_", " ").split()
    return " ".join(sorted([word for word in words if word not in _TITLES] or words))


def _person(raw: Mapping[str, Any]) -> Subject:
    given = {name: raw[name] for name in ("name", "date_of_birth", "postcode") if raw.get(name) not in (None, "")}
    name = given.get("name")
    if not isinstance(name, str) or len(name) > _MOST_NAME:
        raise InvalidInput(f"a name has 1 to {_MOST_NAME} characters", where="name")
    _refuse_card(name)
    if not (folded := canonical_name(name)):
        raise InvalidInput("this holds no name", where="name")
    if len(given) == 1:
        raise InvalidInput(
            "a name alone is neither filed nor searched", where="name",
            advice="Give the date of birth or the postcode with it.",
        )  # fmt: skip
    born = _birth_date(given["date_of_birth"]) if "date_of_birth" in given else None
    postcode = _postcode(given["postcode"]) if "postcode" in given else None
    return Subject(SubjectKind.PERSON, f"{folded}|{born or ''}|{postcode or ''}", Person(folded, born, postcode))


def _account_of_iban(text: str) -> list[Term]:
    account = sort_code_account_of(Value(Kind.IBAN, text))
    return [Term(SubjectKind.BANK_ACCOUNT.value, account.text)] if account else []


def _mailbox_of_email(text: str) -> list[Term]:
    local, _, host = text.rpartition("@")
    mailbox = local.partition("+")[0]
    return [Term(SubjectKind.EMAIL.value, f"{mailbox}@{host}", exact=False)] if mailbox and mailbox != local else []


def _person_terms(person: Person) -> list[Term]:
    beside = [("birth", person.born), ("postcode", person.postcode)]
    whole = [Term(f"person-name-{part}", f"{person.name}|{text}") for part, text in beside if text]
    return whole + [Term(f"person-{part}", text, exact=False) for part, text in beside if text]


def _birth_date(raw: object) -> str:
    try:
        born = date.fromisoformat(raw.strip()) if isinstance(raw, str) else None
    except ValueError:
        born = None
    if born is None or not _OLDEST_BIRTH <= born <= date.today():  # noqa: DTZ011 (a birth date has no zone)
        raise InvalidInput("must be a date of birth such as 1980-02-29", where="date_of_birth")
    return born.isoformat()


def _postcode(raw: object) -> str:
    text = re.sub(r"\s", "", raw).upper() if isinstance(raw, str) and len(raw) <= 20 else ""
    match = _POSTCODE.fullmatch(text)
    if match is None:
        raise InvalidInput("must be a UK postcode such as SW1A 1AA", where="postcode")
    return f"{match[1]} {match[2]}"


def _nino(raw: str) -> str:
    _refuse_card(raw)
    text = re.sub(r"[\s-]", "", raw).upper()
    if not _NINO.fullmatch(text):
        raise InvalidInput("is not a national insurance number", advice="Write it as QQ 12 34 56 C.")
    return text


def _passport(raw: str) -> str:
    """``GBR:123456789``. A check digit that is given has to hold (ICAO 9303 part 3, section 4.9)."""
    _refuse_card(raw)
    text = raw.strip().upper()
    if zone := _PASSPORT_MRZ.fullmatch(text):
        if _icao_digit(zone[1]) != int(zone[2]):
            raise InvalidInput("the check digit of the passport number does not hold")
        return f"{zone[3].rstrip('<')}:{zone[1].rstrip('<')}"
    match = _PASSPORT.fullmatch(text)
    if match is None:
        raise InvalidInput(
            "is not a passport number", advice="Write the country's three letters before it: GBR:123456789."
        )
    return f"{match[1]}:{re.sub('[ -]', '', match[2])}"


def _icao_digit(text: str) -> int:
    weights = (7, 3, 1)
    return sum(weights[n % 3] * (0 if c == "<" else int(c, 36)) for n, c in enumerate(text)) % 10


def _device(raw: str) -> str:
    _refuse_card(raw)
    text = raw.strip().lower()
    scheme, _, number = text.partition(":")
    if scheme == "imei":
        try:
            return f"imei:{imei.validate(number)[:15]}"
        except BadNumber:
            raise InvalidInput("is not an IMEI", advice="Write it as imei:490154203237518.") from None
    if scheme == "mac":
        octets = re.sub(r"[\s:.-]", "", number)
        if not _MAC.fullmatch(octets):
            raise InvalidInput("is not a MAC address", advice="Write it as mac:00:53:00:aa:bb:cc.")
        return f"mac:{octets}"
    if not _DEVICE.fullmatch(text):
        raise InvalidInput(
            "is not a device", advice="Name what it is: imei:…, fingerprint:…, android-id:…, idfa:…, idfv:… or mac:…"
        )
    return text


def _refuse_card(raw: str) -> None:
    if len(raw) > _MOST_NAME:
        raise InvalidInput(f"is longer than {_MOST_NAME} characters")
    refuse_card(raw)


def refuse_card(text: str, where: str | None = None) -> None:
    """Raise InvalidInput at ``where`` for a text that holds a full payment card number, which nothing here may keep."""
    if contains_card(text):
        raise InvalidInput(
            "this holds a full payment card number, which is never taken", where=where, advice="Leave the number out."
        )


def _refuse_address(handle: str) -> None:
    """A page's address is taken for a platform and a handle that nobody has: it would match nothing, unnoticed."""
    if "://" in handle:
        raise InvalidInput(
            "this is the address of a page, not a platform with a handle", advice="Write it as telegram:bob."
        )


_OWN: Final[dict[SubjectKind, Callable[[str], str]]] = {
    SubjectKind.NINO: _nino,
    SubjectKind.PASSPORT: _passport,
    SubjectKind.DEVICE: _device,
}
_FACETS: Final = {kind: kind.value for kind in SubjectKind}
# The further texts of a kind, by its canonical text.
_FURTHER: Final[dict[SubjectKind, Callable[[str], list[Term]]]] = {
    SubjectKind.IBAN: _account_of_iban,
    SubjectKind.EMAIL: _mailbox_of_email,
}
