"""Reports of many shadow runs: differences in groups, counted, with executions to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from runner.shadow.differences import Cause, Difference, attributed
from runner.shadow.leg import LegShadow
from runner.shadow.rules import IgnoreRule, left

SCHEMA: Final = "actionbox.shadow-report/1"
EXAMPLES: Final = 3
MAX_GROUPS: Final = 200
"""Groups of one report; paths are names that Actions choose."""
_OTHERS: Final = "(further paths)"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Group(_Record):
    """Differences of one cause at one path.

    Attributes:
        count: legs that differ there.
        unproven: of these, legs where it follows from a request that the record has no answer to.
        executions: ids of the first `EXAMPLES`.
        recorded, now: both sides in the first of them; None where values are not to be shown.
    """

    cause: Cause
    path: str
    count: int
    unproven: int = 0
    executions: tuple[str, ...]
    recorded: str | None = None
    now: str | None = None


class RuleUse(_Record):
    """An ignore rule, and the legs in which it expected something. An `expired` one is not applied."""

    rule: IgnoreRule
    count: int = 0
    expired: bool = False


class ShadowReport(_Record):
    """Attributes:
    compared: legs that were run.
    different: of these, legs that differ in something that no rule expects.
    skipped: legs that cannot be compared, by reason.
    causes: of the different legs, by what each is put down to.
    groups: all differences, by weight of the cause and then by count; a leg may be in several.
    bound: when nothing differs: the rate of difference is below this with 95 % confidence (3/n).
    self_checks: legs on which the recorded version was run against itself.
    faults: differences of these, which are faults of ours.
    """

    schema_id: str = Field(default=SCHEMA, alias="schema")
    compared: int
    different: int
    skipped: dict[str, int]
    causes: dict[Cause, int]
    groups: tuple[Group, ...]
    bound: float | None
    self_checks: int
    faults: tuple[Group, ...]
    ignored: tuple[RuleUse, ...]


@dataclass(slots=True)
class Groups:
    """Differences in groups, as they come."""

    _kept: dict[tuple[Cause, str], Group] = field(default_factory=dict)

    def add(self, execution_id: str, found: Sequence[Difference], *, values: bool) -> None:
        """Count one leg's. `values`: keep both sides of the first."""
        for item in {(item.cause, item.path): item for item in reversed(found)}.values():
            key = item.cause, item.path
            if key not in self._kept and len(self._kept) >= MAX_GROUPS:
                key = item.cause, _OTHERS
            old = self._kept.get(key)
            examples = old.executions if old is not None else ()
            if execution_id not in examples and len(examples) < EXAMPLES:
                examples = (*examples, execution_id)
            self._kept[key] = Group(
                cause=item.cause,
                path=key[1],
                count=(old.count if old is not None else 0) + 1,
                unproven=(old.unproven if old is not None else 0) + (not item.proof),
                executions=examples,
                recorded=(old.recorded if old is not None else item.recorded) if values else None,
                now=(old.now if old is not None else item.now) if values else None,
            )

    def put(self, groups: Sequence[Group]) -> None:
        """Go on from these."""
        self._kept.update({(group.cause, group.path): group for group in groups})

    def all(self) -> tuple[Group, ...]:
        """By weight of the cause, and then by count."""
        order = list(Cause)
        found = self._kept.values()
        return tuple(sorted(found, key=lambda item: (order.index(item.cause), -item.count, item.path)))


@dataclass(slots=True)
class Tally:
    """Counts runs into a report.

    Args:
        rules: all, expired ones included.
        today: in UTC.
        values: whether the report shows values of both sides.
    """

    rules: Sequence[IgnoreRule] = ()
    today: date = date.min
    values: bool = True
    compared: int = 0
    different: int = 0
    self_checks: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    causes: Counter[Cause] = field(default_factory=Counter)
    _groups: Groups = field(default_factory=Groups)
    _faults: Groups = field(default_factory=Groups)
    _used: Counter[int] = field(default_factory=Counter)

    def add(self, execution_id: str, found: Sequence[Difference]) -> None:
        """Count one leg."""
        self.compared += 1
        holding = [rule for rule in self.rules if rule.holds(self.today)]
        kept, used = left(found, holding)
        for rule in used:
            self._used[self.rules.index(rule)] += 1
        first = attributed(kept)
        if first is not None:
            self.different += 1
            self.causes[first.cause] += 1
            self._groups.add(execution_id, kept, values=self.values)

    @classmethod
    def going_on(cls, report: ShadowReport | None, rules: Sequence[IgnoreRule], today: date) -> Tally:
        """A tally that shows no values, and goes on from `report` if there is one."""
        made = cls(rules=rules, today=today, values=False)
        if report is not None:
            made.compared, made.different = report.compared, report.different
            made.self_checks = report.self_checks
            made.skipped.update(report.skipped)
            made.causes.update(report.causes)
            made._groups.put(report.groups)
            made._faults.put(report.faults)
            made._used.update({number: use.count for number, use in enumerate(report.ignored)})
        return made

    def count(self, execution_id: str, leg: LegShadow) -> None:
        """Count the result of one leg."""
        if leg.skipped is not None:
            self.skip(leg.skipped)
            return
        self.add(execution_id, leg.differences)
        if leg.self_check is not None:
            self.self_check(execution_id, leg.self_check)

    def skip(self, reason: str) -> None:
        """Count a leg that cannot be compared."""
        self.skipped[reason] += 1

    def self_check(self, execution_id: str, found: Sequence[Difference]) -> None:
        """Count a run of the recorded version against itself."""
        self.self_checks += 1
        if found:
            self._faults.add(execution_id, found, values=self.values)

    def report(self) -> ShadowReport:
        """The report so far."""
        order = list(Cause)
        return ShadowReport(
            compared=self.compared,
            different=self.different,
            skipped=dict(sorted(self.skipped.items())),
            causes=dict(sorted(self.causes.items(), key=lambda item: order.index(item[0]))),
            groups=self._groups.all(),
            bound=min(1.0, 3 / self.compared) if self.compared and not self.different else None,
            self_checks=self.self_checks,
            faults=self._faults.all(),
            ignored=tuple(
                RuleUse(rule=rule, count=self._used[number], expired=not rule.holds(self.today))
                for number, rule in enumerate(self.rules)
            ),
        )
