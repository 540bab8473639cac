"""Canonical subjects: the canonical text is its own canonical text, and no text makes anything but InvalidInput."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.checks.subjects import Subject, SubjectKind, canonical_name, canonical_subject, terms
from hub.errors import InvalidInput

TEXTS = st.one_of(
    st.text(max_size=60),
    st.from_regex(r"\A(QQ|AB|CE)[ -]?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\Z"),
    st.from_regex(r"\A(GBR|D|UTO)[:/ ][A-Z0-9]{5,9}\Z"),
    st.from_regex(r"\A(imei|fingerprint|mac):[0-9a-f:-]{6,30}\Z"),
    st.from_regex(r"\A[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{7,8}\Z"),
    st.from_regex(r"\A[a-z]{1,8}(\+[a-z0-9]{0,5})?@[a-z]{1,8}\.(com|example)\Z"),
)
NAMES = st.one_of(st.text(min_size=1, max_size=40), st.from_regex(r"\A(Mr|Dr)?\.? ?[A-Za-zÀ-ž' -]{1,30}\Z"))
PEOPLE = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "date_of_birth": st.dates().map(str),
        "postcode": st.from_regex(r"\A[A-Za-z]{1,2}[0-9] ?[0-9][A-Za-z]{2}\Z"),
    },
)


@given(st.sampled_from([kind for kind in SubjectKind if kind is not SubjectKind.PERSON]), TEXTS)
def test_canonical_texts_are_fixed_points(kind: SubjectKind, raw: str) -> None:
    try:
        subject = canonical_subject(kind, raw)
    except InvalidInput:
        return
    assert canonical_subject(subject.kind, subject.text) == subject
    assert terms(subject)[0].exact
    assert (terms(subject)[0].facet, terms(subject)[0].text) == (subject.kind.value, subject.text)


@given(NAMES)
def test_names_are_fixed_points_in_any_order_of_their_words(name: str) -> None:
    once = canonical_name(name)
    assert canonical_name(once) == once
    assert canonical_name(" ".join(reversed(once.split()))) == once
    assert canonical_name(once.upper()) == canonical_name(once.upper().lower())


@given(PEOPLE)
def test_people_are_found_by_a_name_with_something_beside_it(person: dict[str, str]) -> None:
    try:
        subject = canonical_subject(SubjectKind.PERSON, person)
    except InvalidInput:
        return
    assert subject.person is not None
    assert len(person) > 1
    again = {"name": subject.person.name, "date_of_birth": subject.person.born, "postcode": subject.person.postcode}
    assert canonical_subject(SubjectKind.PERSON, again) == subject
    assert isinstance(subject, Subject)
    # Nothing is found by the name alone: each exact text holds something else, each inexact one holds no name.
    for term in terms(subject):
        assert term.exact == ("|" in term.text)
        assert term.text != subject.person.name
