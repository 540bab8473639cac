"""How long a value holds after it was last seen."""

from __future__ import annotations

from hub.stix.values.kinds import Kind

# How long an indicator holds after it was last seen, in days (FRAUD.md, "valid_until by kind").
VALID_DAYS = {
    Kind.URL: 7,
    Kind.IPV4: 14,
    Kind.IPV6: 14,
    Kind.IPV4_CIDR: 14,
    Kind.IPV6_CIDR: 14,
    Kind.PHONE: 30,
    Kind.DOMAIN: 90,
    Kind.SOCIAL_HANDLE: 90,
    Kind.EMAIL: 180,
    Kind.ASN: 180,
    Kind.USER_AGENT: 180,
    Kind.BANK_ACCOUNT: 365,
    Kind.IBAN: 365,
    Kind.COMPANY: 365,
    Kind.VEHICLE: 365,
    Kind.BTC: 1095,
    Kind.ETH: 1095,
    Kind.XMR: 1095,
    Kind.LTC: 1095,
    Kind.TRX: 1095,
    Kind.WALLET: 1095,
    Kind.MD5: 1825,
    Kind.SHA1: 1825,
    Kind.SHA256: 1825,
    Kind.SHA512: 1825,
    Kind.JA3: 1825,
}
