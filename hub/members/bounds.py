"""What bounds a credential beyond its member's rights: the permissions it carries, and where it may be used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from hub.auth import CredentialKind, Permission, Role, permissions_of
from hub.errors import InvalidInput

Network = IPv4Network | IPv6Network
MOST_NETWORKS = 50


@dataclass(frozen=True, slots=True)
class Bounds:
    """``scopes``: permissions, a subset of the member's; ``networks``: CIDR texts. None bounds nothing."""

    scopes: tuple[str, ...] | None = None
    networks: tuple[str, ...] | None = None

    @classmethod
    def of(cls, roles: Iterable[str], scopes: Sequence[str], networks: Sequence[str]) -> Bounds:
        """Bounds as somebody chose them for a member with ``roles``; an empty sequence bounds nothing.

        Raises InvalidInput for a permission that the member does not have, and for what is no network.
        """
        may = available(roles)
        foreign = [scope for scope in scopes if scope not in may]
        if foreign:
            raise InvalidInput(
                f"your organisation cannot give a key {foreign[0][:60]}",
                where="scopes",
                advice=f"Choose among {', '.join(may)}." if may else "Its roles carry no permission for machines.",
            )
        if len(networks) > MOST_NETWORKS:
            raise InvalidInput(f"a key has at most {MOST_NETWORKS} networks", where="networks")
        allowed = sorted({str(_network(text)) for text in networks})
        return cls(tuple(sorted(set(scopes))) or None, tuple(allowed) or None)

    @property
    def shown(self) -> dict[str, list[str] | None]:
        """For the audit log."""
        return {
            "scopes": None if self.scopes is None else list(self.scopes),
            "networks": None if self.networks is None else list(self.networks),
        }


UNBOUNDED = Bounds()


def available(roles: Iterable[str]) -> list[str]:
    """The permissions that a key of a member with ``roles`` can carry, sorted."""
    return sorted(each.value for each in permissions_of(map(Role, roles), CredentialKind.TOKEN))


def carried(permissions: frozenset[Permission], scopes: Sequence[str] | None) -> frozenset[Permission]:
    """What is left of ``permissions`` under ``scopes``: never more than the member has now."""
    return permissions if scopes is None else frozenset(each for each in permissions if each.value in scopes)


def parsed(networks: Sequence[str] | None) -> tuple[Network, ...]:
    """The networks of a stored credential; none where it holds from everywhere."""
    return tuple(map(ip_network, networks or ()))


def _network(text: str) -> Network:
    """An address or a network in CIDR notation. Raises InvalidInput, also where bits stand behind the prefix."""
    try:
        return ip_network(text.strip()) if len(text) <= 64 else _refuse(text)
    except ValueError:
        return _refuse(text)


def _refuse(text: str) -> Network:
    raise InvalidInput(
        f"{text.strip()[:60]!r} is no address or network",
        where="networks",
        advice="Give each as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48.",
    )
