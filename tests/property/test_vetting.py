"""No order of steps, by whomever, makes a member without a sponsor, two approvals and a signed agreement."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import clock
from hub.clock import DAY
from hub.errors import HubError, Unauthenticated
from hub.members import credentials
from hub.members.records import Member
from hub.members.vetting import (
    activation,
    agreements,
    cases,
    decisions,
    offboarding,
    requirements,
    reviews,
    suspensions,
)
from hub.members.vetting.party import THE_HUB, Party
from hub.members.vetting.records import (
    AgreementAcceptance,
    CaseStep,
    SponsorAnswer,
    VettingCase,
    VettingDecision,
)
from hub.members.vetting.states import TRANSITIONS, State, advance
from tests.engines import SQLite
from tests.vetting import APPLICATION, FIRST, FOURTH, NAMESPACE, OFFICER, PDF, SECOND, THIRD, office, publish, sponsor

PEOPLE: list[Party] = [OFFICER, FIRST, SECOND, THIRD, FOURTH, THE_HUB]
KINDS = ["registry-extract", "sanctions-check", "signatory-authority"]
people = st.sampled_from(PEOPLE)
_template: list[str] = []
_reached: set[str] = set()


@pytest.fixture(scope="module", autouse=True)
def template(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A migrated database that every run copies."""
    with sqlite.migrated() as url:
        _template.append(url.removeprefix("sqlite:///"))
        yield


class Life(RuleBasedStateMachine):
    """Anybody tries anything at any time; refusals are part of life."""

    @initialize(stage=st.integers(0, 2))
    def begin(self, stage: int) -> None:
        """Life begins with an application, up for decision, or as a member: random steps alone rarely get so far."""
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(TemporaryDirectory(dir=Path(_template[0]).parent)))
        shutil.copyfile(_template[0], folder / "hub.db")
        self.office = self.stack.enter_context(office(f"sqlite:///{folder / 'hub.db'}", folder))
        self.token = b""
        with self.office.database.unit_of_work() as session:
            publish(session)
            self.case_id = cases.apply(session, APPLICATION).id
        if stage > 0:
            self.the_usual_way()
        if stage > 1:
            self.two_decide_and_it_is_signed(FIRST, SECOND)

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    def attempt(self, step: Callable[[Session, VettingCase], object]) -> None:
        with suppress(HubError), self.office.database.unit_of_work() as session:
            step(session, cases.hold(session, self.case_id))

    @rule(who=people, to=st.sampled_from(State))
    def push(self, who: Party, to: State) -> None:
        """Straight at the one function that changes states."""
        self.attempt(lambda session, case: advance(session, case, to, who, "pushed"))

    @rule(to=st.sampled_from(State))
    def push_as_applicant(self, to: State) -> None:
        self.attempt(lambda session, case: advance(session, case, to, cases.applicant(case), "pushed"))

    @rule()
    def confirm(self) -> None:
        self.attempt(cases.confirm)

    @rule(who=people)
    def take(self, who: Party) -> None:
        self.attempt(lambda session, case: cases.take(session, case, who))

    @rule(who=people, conflict=st.sampled_from([False, False, False, True]))
    def declare(self, who: Party, conflict: bool) -> None:
        self.attempt(lambda s, case: cases.declare(s, case, who, conflict=conflict, explanation="mine"))

    @rule()
    def collect_evidence(self) -> None:
        def collect(session: Session, case: VettingCase) -> None:
            for kind in KINDS:
                self.office.files.add(session, case, OFFICER, kind, "a.pdf", PDF)

        self.attempt(collect)

    @rule(confirmed=st.booleans())
    def answer_as_sponsor(self, confirmed: bool) -> None:
        self.attempt(lambda s, case: sponsor(s, case, self.office.settings, confirmed=confirmed))

    @rule(who=people)
    def go_on(self, who: Party) -> None:
        self.attempt(lambda s, case: cases.to_due_diligence(s, case, who, "why"))
        self.attempt(lambda s, case: cases.to_decision(s, case, who, "why"))

    @rule(who=people, verdict=st.sampled_from([decisions.APPROVE, decisions.APPROVE, decisions.REJECT]))
    def decide(self, who: Party, verdict: str) -> None:
        self.attempt(lambda s, case: decisions.decide(s, case, who, verdict, "why"))

    @rule()
    def appeal(self) -> None:
        self.attempt(lambda s, case: decisions.appeal(s, case, "why", self.office.settings.vetting))

    @rule()
    def sign(self) -> None:
        def accept(session: Session, case: VettingCase) -> None:
            by = cases.applicant(case)
            agreements.accept(
                session, case, by, version="2026-01", signatory="Cy", position="Director", address="192.0.2.7"
            )
            activation.admit(session, case, by, NAMESPACE)

        self.attempt(accept)

    @rule()
    def admit_without_signing(self) -> None:
        self.attempt(lambda s, case: activation.admit(s, case, cases.applicant(case), NAMESPACE))

    @rule()
    def the_usual_way(self) -> None:
        """What people mostly do, so that life gets far; each step may be refused."""
        self.attempt(cases.confirm)
        self.attempt(lambda s, case: cases.take(s, case, OFFICER))
        self.declare(OFFICER, False)
        self.collect_evidence()
        self.attempt(lambda s, case: cases.to_due_diligence(s, case, OFFICER, "why"))
        self.attempt(lambda s, case: sponsor(s, case, self.office.settings))
        self.attempt(lambda s, case: cases.to_decision(s, case, OFFICER, "why"))

    @rule(first=people, second=people)
    def two_decide_and_it_is_signed(self, first: Party, second: Party) -> None:
        for who in (first, second):
            self.declare(who, False)
            self.decide(who, decisions.APPROVE)
        self.sign()

    @rule(who=people)
    def suspend(self, who: Party) -> None:
        self.attempt(lambda s, case: suspensions.suspend(s, case, who, "why"))

    @rule(who=people)
    def lift(self, who: Party) -> None:
        self.attempt(lambda s, case: suspensions.lift(s, case, who, "why"))

    @rule(who=people)
    def leave(self, who: Party) -> None:
        self.attempt(lambda s, case: offboarding.begin(s, case, who, "why"))
        for step in requirements.OFFBOARDING_STEPS:
            self.attempt(lambda s, case, step=step: offboarding.tick(s, case, who, step, "done"))
        self.attempt(lambda s, case: offboarding.close(s, case, who))

    @rule(days=st.sampled_from([1, 31, 366]))
    def time_passes(self, days: int) -> None:
        now = clock.micros() + days * DAY
        with self.office.database.unit_of_work() as session:
            reviews.run_due(session, now, self.office.post, self.office.files)

    @invariant()
    def membership_has_its_reasons(self) -> None:
        if not hasattr(self, "case_id"):
            return
        with self.office.database.unit_of_work() as session:
            case = session.get_one(VettingCase, self.case_id)
            steps = list(session.execute(select(CaseStep.before, CaseStep.after).order_by(CaseStep.id)))
            assert all((State(before), State(after)) in TRANSITIONS for before, after in steps)
            assert [before for before, _ in steps] == ["draft", *(after for _, after in steps)][: len(steps)]
            if case.member_id is None:
                assert case.state not in ("active", "review_due", "suspended", "offboarding", "closed")
                return
            approvers = session.scalars(
                select(VettingDecision.approver_id).where(VettingDecision.verdict == "approve").distinct()
            ).all()
            assert len(approvers) >= 2
            assert "officer" not in approvers
            assert session.scalars(select(func.count()).where(SponsorAnswer.confirmed)).one()
            assert session.scalars(select(AgreementAcceptance)).first()
            member = session.get_one(Member, case.member_id)
            _reached.add(case.state)
            if not self.token and case.state != "closed":
                self.token = credentials.token_hash(credentials.issue(session, member)[1])
            assert (member.status == "active") == (case.state in ("active", "review_due"))
            if self.token:
                try:
                    credentials.authenticate(session, self.token, None)
                    let_in = True
                except Unauthenticated:
                    let_in = False
                assert let_in == (case.state in ("active", "review_due"))


def test_no_way_around() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert {"active", "suspended"} <= _reached, "no life got as far as membership: this test would prove nothing"
