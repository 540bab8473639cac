"""Once more the password before something grave; who has none shows it by a session that has just begun."""

from __future__ import annotations

from hub import clock
from hub.console.furniture import Form, person, reading, unit_of_work
from hub.errors import InvalidInput
from hub.members import passwords, sessions, signing_in
from hub.members.people_records import Person
from hub.web import browser

WRONG = "Enter your present password"
# Who has no password has signed in at most this long ago.
FRESH = 10 * 60_000_000


def ask_again() -> bool:
    """Whether the page has to ask for the password: whether there is one."""
    with reading() as session:
        return session.get_one(Person, person().person_id).password_hash is not None


def confirm(form: Form) -> None:
    """Raise InvalidInput unless the field "present" holds the password. Wrong ones count towards the lock-out."""
    visit, present = browser.visit(), form.values.get("present", "")
    with reading() as session:
        stored = session.get_one(Person, person().person_id).password_hash
        begun = sessions.begun_at(session, person().session_id)
    if stored is None:
        if begun + FRESH < clock.micros():
            raise InvalidInput("This needs a sign-in of the last ten minutes. Sign out and sign in again")
        return
    matched = passwords.matches(stored, present)  # outside any transaction: it takes its time on purpose
    with unit_of_work() as session:
        confirmed = signing_in.confirm(session, session.get_one(Person, person().person_id), matched, visit)
    if not confirmed:
        form.values.setdefault("present", "")
        raise InvalidInput(WRONG, where="present")
