"""Media types: what the client accepts, what it sends (TAXII 2.1 sections 1.6.8 and 3.1, 2.0 section 1.6.8)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_options_header

from hub.errors import NotAcceptable, UnsupportedMedia


@dataclass(frozen=True, slots=True)
class Family:
    """The media types of one version of TAXII, without and with that version."""

    taxii: str
    stix: str
    version: str
    separator: str = ";"

    @property
    def taxii_versioned(self) -> str:
        """The type of TAXII resources."""
        return f"{self.taxii}{self.separator}version={self.version}"

    @property
    def stix_versioned(self) -> str:
        """The type of STIX content."""
        return f"{self.stix}{self.separator}version={self.version}"


V21 = Family("application/taxii+json", "application/stix+json", "2.1")
V20 = Family("application/vnd.oasis.taxii+json", "application/vnd.oasis.stix+json", "2.0", separator="; ")
TAXII_21 = V21.taxii_versioned
STIX_21 = V21.stix_versioned
TAXII_20 = V20.taxii_versioned
STIX_20 = V20.stix_versioned
# How closely a media range names a type when it is written out, its version or not.
NAMED = 3


def check_accept(header: str | None, family: Family = V21) -> None:
    """Raise NotAcceptable unless the Accept header allows this version's JSON.

    Honoured: no header, wildcards, lists, q-values, any case, the version given or not. ``stix+json`` is taken
    too, since the standard lists it for endpoints that give objects (section 5.3).
    """
    if header is not None and not _accepts(header, family):
        raise NotAcceptable(
            f"this endpoint answers in TAXII {family.version} JSON only",
            where="Accept",
            advice=f"Send Accept: {family.taxii_versioned}",
        )


@lru_cache(maxsize=512)
def _accepts(header: str, family: Family) -> bool:
    if not header.strip():
        return True
    ranges = list(parse_accept_header(header, MIMEAccept))
    # What is answered is TAXII: a wildcard means that, and STIX counts where it is written out.
    allowed = ((family.taxii, 1), (family.stix, NAMED))
    return any(_weight(ranges, given, family.version, least) > 0 for given, least in allowed)


def _weight(ranges: list[tuple[str, float]], given: str, version: str, least: int) -> float:
    """The weight of the range that names ``given`` most closely, 0 where none does as closely as ``least``."""
    found = [(precision, weight) for each, weight in ranges if (precision := _precision(each, given, version)) >= least]
    return max(found, default=(0, 0.0))[1]


def check_content_type(header: str | None, family: Family = V21) -> None:
    """Raise UnsupportedMedia unless a POST body is declared as TAXII or STIX JSON, of this version or none."""
    media_type, parameters = parse_options_header(header)
    known = media_type.lower() in (family.taxii, family.stix)
    if not known or parameters.get("version", family.version).strip() != family.version:
        expected = family.taxii_versioned if family is V21 else family.stix_versioned
        raise UnsupportedMedia(
            f"the body must be declared as TAXII {family.version} JSON",
            where="Content-Type",
            advice=f"Send Content-Type: {expected}",
        )


def _precision(media_range: str, given: str, of_version: str) -> int:
    """How closely a media range names ``given``: 4 with its version, 3 without, 2 and 1 for wildcards, 0 not."""
    media_type, parameters = parse_options_header(media_range)
    media_type = media_type.lower()
    if media_type == "*/*":
        return 1
    if media_type == "application/*":
        return 2
    if media_type != given:
        return 0
    version = parameters.get("version")
    if version is None:
        return NAMED
    return 4 if version.strip() == of_version else 0
