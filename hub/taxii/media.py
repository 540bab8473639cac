"""Media types: what the client accepts, what it sends (TAXII 2.1 sections 1.6.8 and 3.1)."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_options_header

from hub.errors import NotAcceptable, UnsupportedMedia

TAXII = "application/taxii+json"
STIX = "application/stix+json"
VERSION = "2.1"
TAXII_21 = f"{TAXII};version={VERSION}"
STIX_21 = f"{STIX};version={VERSION}"


def check_accept(header: str | None) -> None:
    """Raise NotAcceptable unless the Accept header allows TAXII 2.1 JSON.

    Honoured: no header, wildcards, lists, q-values, any case, the version given or not. ``stix+json`` is taken
    too, since the standard lists it for endpoints that give objects (section 5.3).
    """
    if header is not None and not _accepts_taxii(header):
        raise NotAcceptable(
            "this endpoint answers in TAXII 2.1 JSON only", where="Accept", advice=f"Send Accept: {TAXII_21}"
        )


@lru_cache(maxsize=512)
def _accepts_taxii(header: str) -> bool:
    if not header.strip():
        return True
    best: tuple[int, float] = (0, 0.0)
    for media_range, quality in parse_accept_header(header, MIMEAccept):
        precision = _precision(media_range)
        if precision:
            best = max(best, (precision, quality))
    return best[0] > 0 and best[1] > 0


def check_content_type(header: str | None) -> None:
    """Raise UnsupportedMedia unless a POST body is declared as TAXII or STIX JSON, of version 2.1 or none."""
    media_type, parameters = parse_options_header(header)
    if media_type.lower() not in (TAXII, STIX) or parameters.get("version", VERSION).strip() != VERSION:
        raise UnsupportedMedia(
            "the body must be declared as TAXII 2.1 JSON", where="Content-Type", advice=f"Send Content-Type: {TAXII_21}"
        )


def _precision(media_range: str) -> int:
    """How closely a media range names what we give: 4 with its version, 3 without, 2 and 1 for wildcards, 0 not."""
    media_type, parameters = parse_options_header(media_range)
    media_type = media_type.lower()
    if media_type == "*/*":
        return 1
    if media_type == "application/*":
        return 2
    if media_type not in (TAXII, STIX):
        return 0
    version = parameters.get("version")
    if version is None:
        return 3
    return 4 if version.strip() == VERSION else 0
