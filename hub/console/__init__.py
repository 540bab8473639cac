"""The web console: pages for people, in the manner of the GOV.UK Design System, without JavaScript.

How to add a page:

1. Write ``hub/console/<subject>.py`` with views on the one blueprint, and name the module in ``ROOMS`` below::

       from hub.auth import Permission
       from hub.console.furniture import Form, blueprint, page, person, redirect_to, say, unit_of_work
       from hub.web import allow

       @blueprint.get("/feeds")
       @allow(Permission.FEEDS_READ)
       def feeds() -> str:
           with reading() as session:
               return page("feeds.html", "Feeds", feeds=schedule.all_feeds(session))

2. Write ``templates/console/feeds.html``: ``{% extends "console/base.html" %}``,
   ``{% import "console/macros.html" as m with context %}``, a block ``main`` with one h1. Everything is escaped.
3. A change is a POST. ``form = Form()`` holds what was sent; ``form.text("reason", "Enter a reason")`` reads a field
   and notes what is wrong; ``with form.catching():`` turns InvalidInput and Conflict of a use case (their ``where`` is
   the field's name) into the form's errors. Where ``form.errors``, give the page again with ``form=form`` (it answers
   400 and shows the summary), else ``say("Saved")`` and ``return redirect_to("console.feeds")``. Each form begins with
   ``{{ m.start() }}``, which holds the CSRF token.
4. A place in the navigation is a line of ``navigation.py``, shown to those who hold its permission.
5. Who contributed something is named by ``hub.console.naming``, which keeps anonymous members anonymous. A list has
   pages, so that each page stays under 150 KB with its style sheet.
6. ``tests/golden/console_doors.json`` gets a row for each URL: which roles it lets in.
"""

from importlib.resources import files

from flask import Flask
from jinja2 import StrictUndefined

from hub.console import (
    account,
    audit,
    check_quotas,
    checking,
    collections,
    connection,
    corrections,
    disclosures,
    disputes,
    feeds,
    filing_forms,
    filings,
    groups,
    home,
    indicators,
    invitation,
    keys,
    member_file,
    organisation,
    oversight,
    passkeys,
    people_pages,
    provider,
    quarantine,
    refused,
    retention,
    sign_in,
    subject_access,
    submissions,
    unmasking,
    vetting,
    vetting_actions,
    vetting_apply,
    vetting_grants,
    vetting_membership,
)
from hub.console.furniture import blueprint, dress, error_page
from hub.web import errors

# Importing a room puts its views on the blueprint.
ROOMS = (
    home, sign_in, passkeys, organisation, invitation, account, people_pages, keys, submissions, connection,
    vetting, vetting_actions, vetting_apply, vetting_grants, vetting_membership,
    indicators, quarantine, refused, feeds, collections, groups, audit, disclosures, member_file, provider,
    unmasking,
    checking, check_quotas, corrections, filings, filing_forms, oversight, disputes, subject_access, retention,
)  # fmt: skip

__all__ = ["install"]


def install(app: Flask) -> None:
    """Add the console under /console/."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    dress(app, (files("hub.console") / "static" / "console.css").read_bytes())
    app.register_blueprint(blueprint)
    errors.render_under(app, "/console", error_page)
