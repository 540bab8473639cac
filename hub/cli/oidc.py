"""``hub member oidc``: sign-in through a member's own provider."""

from __future__ import annotations

from typing import TextIO

import click

from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json
from hub.errors import NotFound
from hub.members import membership, providers
from hub.members.providers import Configuration
from hub.members.sign_in_records import SignInProvider


@click.group("oidc")
def oidc_commands() -> None:
    """Sign-in through a member's own OpenID Connect provider."""


@oidc_commands.command("set")
@click.argument("member")
@click.option("--issuer", required=True, help="The provider's issuer, exactly as its ID tokens name it.")
@click.option("--client-id", required=True, help="What the provider knows the hub by.")
@click.option("--secret-file", type=click.File("r"), required=True, help="Holds the client secret; - reads it.")
@click.option("--domain", "domains", multiple=True, required=True, help="An e-mail domain it vouches for; repeatable.")
@click.option("--mfa-amr", "amr", multiple=True, help="A value of amr that stands for a second factor; repeatable.")
@click.option("--mfa-acr", "acr", multiple=True, help="A value of acr that does; repeatable.")
@json_option
def set_provider(
    member: str,
    issuer: str,
    client_id: str,
    secret_file: TextIO,
    domains: tuple[str, ...],
    amr: tuple[str, ...],
    acr: tuple[str, ...],
    as_json: bool,
) -> None:
    """Set a member's provider, in place of an earlier one, and show what to enter there and where people sign in."""
    hub = open_hub()
    given = Configuration(issuer, client_id, secret_file.read().strip(), domains, amr, acr)
    with hub.database.unit_of_work() as session:
        kept = providers.configure(session, hub.vault, member, given, membership.OPERATOR)
    _show(kept, hub.settings.base_url, as_json)


@oidc_commands.command("show")
@click.argument("member")
@json_option
def show_provider(member: str, as_json: bool) -> None:
    """Show a member's provider; the secret is never shown."""
    hub = open_hub()
    with hub.database.reading() as session:
        kept = providers.of_member(session, membership.find(session, member).id)
    if kept is None:
        raise NotFound(f"{member} has no provider of its own")
    _show(kept, hub.settings.base_url, as_json)


@oidc_commands.command("link")
@click.argument("member")
@click.argument("email")
@click.argument("subject")
def link_person(member: str, email: str, subject: str) -> None:
    """Say which subject (sub) a person is, for a provider that verifies no e-mail addresses."""
    with open_hub().database.unit_of_work() as session:
        providers.link(session, member, email, subject, membership.OPERATOR)
    click.echo(f"{email} is known by that subject now")


@oidc_commands.command("remove")
@click.argument("member")
def remove_provider(member: str) -> None:
    """End sign-in through a member's provider; those who have come by it are signed out."""
    with open_hub().database.unit_of_work() as session:
        providers.remove(session, member, membership.OPERATOR)
    click.echo(f"{member} signs in by password, code and passkey from now on")


def _show(kept: SignInProvider, base_url: str, as_json: bool) -> None:
    shown = {
        "issuer": kept.issuer,
        "client_id": kept.client_id,
        "domains": kept.domains,
        "mfa_amr": kept.amr,
        "mfa_acr": kept.acr,
        "redirect_uri": f"{base_url}{providers.RETURN_PATH}",
        "sign_in_address": f"{base_url}{kept.path}",
    }
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        said = ", ".join(value) or "none" if isinstance(value, list) else value
        click.echo(f"{name.replace('_', ' ')}: {said}")
