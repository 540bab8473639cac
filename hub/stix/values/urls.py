"""URLs, parsed and written as browsers do (WHATWG URL Standard)."""

from __future__ import annotations

import re
from typing import Final

from ada_url import URL, normalize_url

from hub.stix.refang import refang, visible
from hub.stix.values.hosts import PLAIN_DOMAIN, PLAIN_IPV4, domain_ascii
from hub.stix.values.kinds import MAX_CHARACTERS, Kind, Value, refusal

# Schemes for which the WHATWG standard itself brings the host to one form.
_SPECIAL: Final = frozenset({"http", "https", "ftp", "ws", "wss"})
_OTHER_NETWORK: Final = re.compile(
    "dns|ftps|git|imaps?|ircs?|ldaps?|mongodb|mysql|nfs|pop3|postgresql|rdp|redis|rsync|rtmp|rtsp|sftp|sips?|smb"
    "|smtps?|socks4|socks5|ssh|stratum|svn|tcp|telnet|tftp|tls|udp|vnc|xmpp"
)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]{2}")
# A URL in its final form: no userinfo, no fragment, a host in lower case and without a trailing dot.
_FINAL: Final = re.compile(r"(?:https?|ftp|wss?)://([a-z0-9._-]*[a-z0-9_-])(?::[0-9]+)?/[^#]*")
_LABEL: Final = re.compile(r"(?![0-9]+\Z)[a-z0-9_-]{1,63}")
_DOTTED_HOST: Final = re.compile(r"[^/?#\\.]+[.。]|\[")
_AUTHORITY: Final = re.compile(r"[^/?#\\]*(?:[/\\]{2})?[^/?#\\]*")


def url(raw: str) -> Value:
    """Return the URL of a network scheme, normalised, without userinfo and fragment.

    ``http://`` is put before a text without a scheme. A host's defang marks are undone; a path's too, but
    only where the host or the scheme was defanged, since brackets may belong to a path.
    """
    text = _refanged(visible(raw).strip())
    if not _SCHEME.match(text):
        if not _DOTTED_HOST.match(text):
            raise refusal(raw, "is not a URL")
        text = f"http://{text}"
    try:
        href = normalize_url(text)
        final = _FINAL.fullmatch(href)
        if final is None or not _is_host(final.group(1)):
            href = _trimmed(raw, href)
    except ValueError:  # also of a lone surrogate, which has no UTF-8 form
        raise refusal(raw, "is not a URL") from None
    if len(href) > MAX_CHARACTERS:
        raise refusal(raw, f"is longer than {MAX_CHARACTERS} characters when it is written as a URL")
    return Value(Kind.URL, href)


def host_of(url_text: str) -> str:
    """Return the host of a canonical URL: a name, an IPv4 address, or an IPv6 address without brackets."""
    return URL(url_text).hostname.strip("[]")


def _refanged(text: str) -> str:
    start = _AUTHORITY.match(text)
    head = start.group() if start else ""
    return refang(text) if refang(head) != head else text


def _trimmed(raw: str, href: str) -> str:
    parsed = URL(href)
    scheme = parsed.protocol.removesuffix(":")
    if scheme not in _SPECIAL and not _OTHER_NETWORK.fullmatch(scheme):
        raise refusal(raw, "has a scheme that reaches no network")
    host = _host(parsed.hostname)
    if host is None:
        raise refusal(raw, "has no valid host")
    parsed.username = parsed.password = ""
    del parsed.hash
    if host != parsed.hostname:
        parsed.hostname = host
    return normalize_url(parsed.href)


def _host(text: str) -> str | None:
    if text.startswith("["):
        return text
    name = domain_ascii(text)
    return name if _is_host(name) else None


def _is_host(name: str) -> bool:
    return len(name) <= 253 and bool(
        PLAIN_DOMAIN.fullmatch(name) or PLAIN_IPV4.fullmatch(name) or _LABEL.fullmatch(name)
    )
