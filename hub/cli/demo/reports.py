"""Fraud reports for demonstrations: invented, from a seed, with reserved identifiers only.

Losses are log-normal. A few offenders (rings) stand behind most reports, by a power law, so that the same
phone, address or account comes up again and clusters exist. Every identifier is one that nobody holds: phone
numbers that Ofcom keeps for drama, names under .example (RFC 2606) and the one account that the IBAN registry
prints as its example.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

RINGS = 16
# The weight of the n-th ring is n to the minus this: the first is behind about a quarter of all reports.
REUSE_EXPONENT = 1.1
MEDIAN_LOSS_LOG, LOSS_SPREAD, LARGEST_LOSS = 6.6, 1.3, 250_000.0
DEFANGED_SHARE = 0.3
DAYS_BACK = 30

PHONES = ("07700 900{:03d}", "020 7946 0{:03d}", "01632 960{:03d}", "03069 990{:03d}", "08081 570{:03d}")
ACCOUNT = {"sort_code": "20-20-15", "account_number": "55555555", "iban": "GB33BUKB20201555555555"}
# Rings that take money by bank transfer; only one account is reserved, so they share it.
ACCOUNT_SHARE = 0.2
FIRST_NAMES = ("Sam", "Kim", "Jo", "Alex", "Robin", "Chris", "Pat", "Lee", "Ashley", "Morgan")
LAST_NAMES = ("Sampleton", "Placeholder", "Examplar", "Specimen", "Fictional", "Inventor")
AGE_BANDS = ("18-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75-84")
GRADES = ("2B:P", "2B:P", "2B:P", "2C:P", "1B:P", "3D:P", "2B:C")
CONDITIONS = "Not to be shown to the subject."


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of fraud: its NFIB code, how often it comes, and how a victim tells it."""

    code: str
    weight: int
    channel: str
    platform: str | None
    stem: str
    story: str


SCENARIOS = (
    Scenario(
        "3A", 8, "social_media", "example-marketplace", "bargain-tickets",
        "I saw an advert at {url} and paid for two tickets. Nothing came. The seller wrote from {email} and "
        "then stopped answering.",
    ),
    Scenario(
        "1H", 7, "text_message", None, "parcel-fee",
        "A text from {phone} said that a parcel was held back. The link {url} asked for a fee and my card details.",
    ),
    Scenario(
        "5A", 7, "phone", None, "secure-account",
        "Somebody who said he was from my bank rang from {phone}. He told me to move my money to a safe account.",
    ),
    Scenario(
        "3D", 4, "website", None, "holiday-lets",
        "The cottage on {url} does not exist. I paid a deposit; the landlord's address was {email}.",
    ),
    Scenario(
        "52C", 4, "email", "example-network", "account-check",
        "I signed in at {url} after a mail from {email}. Since then my profile sends messages that I did not write.",
    ),
    Scenario(
        "2E", 3, "messaging_app", "telegram", "invest-now",
        "A group on Telegram promised 3% a day. I opened an account at {url}. An adviser rang me from {phone}. "
        "When I wanted my money back they asked for a tax first.",
    ),
    Scenario(
        "1D", 2, "dating_app", "example-dating", "true-match",
        "We met online and wrote for months to {email}. Then there was an accident abroad and money was needed.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ring:
    """One offender: what is found again and again."""

    scenario: Scenario
    phone: str
    domain: str
    handle: str
    takes_transfers: bool


def generate(count: int, today: date, seed: int = 1) -> list[dict[str, Any]]:
    """``count`` reports of the last month before ``today``, as a reporting partner pushes them."""
    random = Random(seed)  # noqa: S311 (invented reports, no secrets)
    rings = [_ring(random, number) for number in range(RINGS)]
    weights = [(rank + 1) ** -REUSE_EXPONENT for rank in range(RINGS)]
    return [
        _report(random, ring, number, today) for number, ring in enumerate(random.choices(rings, weights, k=count), 1)
    ]


def _ring(random: Random, number: int) -> Ring:
    scenario = random.choices(SCENARIOS, [one.weight for one in SCENARIOS])[0]
    return Ring(
        scenario,
        phone=random.choice(PHONES).format(random.randrange(1000)),
        domain=f"{scenario.stem}-{number + 1}.example",
        handle=f"{scenario.stem.replace('-', '_')}_{number + 1}_example",
        takes_transfers=random.random() < ACCOUNT_SHARE,
    )


def _report(random: Random, ring: Ring, number: int, today: date) -> dict[str, Any]:
    scenario = ring.scenario
    reported = today - timedelta(days=random.randrange(DAYS_BACK))
    last = reported - timedelta(days=random.randrange(1, 5))
    grade = random.choice(GRADES)
    url, email = f"https://{ring.domain}/{random.choice(('', 'pay', 'login', 'offer'))}", f"desk@{ring.domain}"
    written = _defanged if random.random() < DEFANGED_SHARE else str
    head = {
        "reference": f"RF-DEMO-{number:05d}",
        "kind": "crime",
        "reporter_kind": "victim",
        "reported_at": f"{reported}T{random.randrange(8, 20):02d}:{random.randrange(60):02d}:00Z",
        "first_incident": str(last - timedelta(days=random.randrange(10))),
        "last_incident": str(last),
        "nfib_code": scenario.code,
        "contact_channel": scenario.channel,
        "narrative": scenario.story.format(phone=ring.phone, url=written(url), email=written(email)),
        "grade": grade,
    }
    if scenario.platform:
        head["platform"] = scenario.platform
    if grade.endswith("C"):
        head["conditions"] = CONDITIONS
    loss, lost = _loss(random)
    return {
        "report": head,
        "loss": loss,
        "payments": _payments(ring, lost, last),
        "suspects": [_suspect(random, ring)],
        "victim": _victim(random, number),
    }


def _loss(random: Random) -> tuple[dict[str, str], float]:
    lost = round(min(random.lognormvariate(MEDIAN_LOSS_LOG, LOSS_SPREAD), LARGEST_LOSS), 2)
    attempted = lost + (round(lost * random.random(), 2) if random.random() < 0.3 else 0)
    recovered = lost * random.random() if random.random() < 0.15 else 0
    amounts = {"attempted": attempted, "lost": lost, "recovered": recovered}
    return {name: f"{amount:.2f}" for name, amount in amounts.items()} | {"currency": "GBP"}, lost


def _payments(ring: Ring, lost: float, day: date) -> list[dict[str, Any]]:
    payment: dict[str, Any] = {"amount": f"{lost:.2f}", "currency": "GBP", "date": str(day)}
    if ring.takes_transfers:
        return [payment | {"method": "faster_payment", "beneficiary": ACCOUNT}]
    return [payment | {"method": "card"}]


def _suspect(random: Random, ring: Ring) -> dict[str, Any]:
    """What a victim remembers of the suspect: some of it, not always all."""
    known: dict[str, Any] = {"phone": ring.phone} if "{phone}" in ring.scenario.story else {}
    if "{email}" in ring.scenario.story:
        known["email"] = f"desk@{ring.domain}"
    if random.random() < 0.5:
        known["social"] = {"platform": ring.scenario.platform or "example-network", "handle": ring.handle}
    return known


def _victim(random: Random, number: int) -> dict[str, Any]:
    """An invented victim: sealed at the intake, it never leaves the hub."""
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    return {
        "name": f"{first} {last}",
        "address": f"{number} Example Street, Exampletown",
        "email": f"{first}.{last}.{number}@example.org".lower(),
        "age_band": random.choice(AGE_BANDS),
        "support_consent": random.random() < 0.6,
    }


def _defanged(text: str) -> str:
    return text.replace("http", "hxxp", 1).replace(".", "[.]")
