"""Which executions are kept on record. Workers use this as well: it stands on outcomes alone."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from runner.model.outcome import Decision, FlowOutcome, Status

FAILURES: Final = "failures"
DENIALS: Final = "denials"
SAMPLE: Final = "sample"
ALL: Final = "all"
OFF: Final = "off"
Reason = Literal["failures", "denials", "sample", "all"]
"""The part of a policy that keeps an execution."""
MAX_POLICY: Final = 64
"""Characters of a policy as text."""
_DIGITS: Final = 6
"""After the point of a share: one in a million is the least."""
_SHARE: Final = re.compile(r"(?:0|1)(?:\.[0-9]{1,6})?|\.[0-9]{1,6}")
_WORDS: Final = f"{OFF}, {FAILURES}, {DENIALS}, {SAMPLE}: 0.05, {ALL}"


class PolicyError(ValueError):
    """A text is no policy; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class RecordPolicy:
    """What is kept: executions in which an Action failed, those that denied, a share of all, or all.

    Attributes:
        sample: share of executions from 0 to 1, in millionths.
    """

    failures: bool = False
    denials: bool = False
    sample: float = 0.0
    all: bool = False

    @classmethod
    def parse(cls, text: str) -> RecordPolicy:
        """From words with commas between them, such as `failures, denials, sample: 0.05`. `off` stands alone.

        Raises:
            PolicyError: see there.
        """
        if len(text) > MAX_POLICY:
            raise PolicyError(f"a policy has at most {MAX_POLICY} characters, and this one {len(text)}")
        words = [part.strip() for part in text.split(",")]
        facts: dict[str, Any] = {}
        for word in words:
            name, colon, share = (part.strip() for part in word.partition(":"))
            if name in facts or (name == OFF and len(words) > 1):
                twice = "stands alone" if name == OFF else "is there twice"
                raise PolicyError(f"{name} {twice} in {text!r}")
            if name == SAMPLE and colon:
                facts[SAMPLE] = _share(share)
            elif name in (FAILURES, DENIALS, ALL, OFF) and not colon:
                facts[name] = True
            else:
                raise PolicyError(f"{word!r} is no part of a policy; parts are {_WORDS}")
        facts.pop(OFF, None)
        return cls(**facts)

    @property
    def text(self) -> str:
        """The text that `parse` takes."""
        named = [name for name in (FAILURES, DENIALS, ALL) if getattr(self, name)]
        if self.sample:
            named.append(f"{SAMPLE}:{self.sample:.{_DIGITS}f}".rstrip("0").rstrip("."))
        return ",".join(named) or OFF

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {FAILURES: self.failures, DENIALS: self.denials, SAMPLE: self.sample, ALL: self.all}

    def with_others(self, others: Iterable[RecordPolicy]) -> RecordPolicy:
        """The policy of a flow of several bindings: what one of them wants kept is kept, unless another is
        `off`: the record of a flow holds what all of its Actions saw."""
        together = (self, *others)
        if any(item == NOTHING for item in together):
            return NOTHING
        return RecordPolicy(
            failures=any(item.failures for item in together),
            denials=any(item.denials for item in together),
            sample=max(item.sample for item in together),
            all=any(item.all for item in together),
        )

    def wish(self, execution_id: str, most_bytes: int) -> Wish | None:
        """What to keep of an execution that is about to begin; None for nothing, however it ends. Whether it
        is in the sample depends on its id alone, so that attempts of a job agree."""
        if self.all:
            return Wish(most_bytes, always=ALL)
        if self.sample and zlib.crc32(execution_id.encode("utf-8", "replace")) < self.sample * 2**32:
            return Wish(most_bytes, always=SAMPLE, failures=self.failures, denials=self.denials)
        if self.failures or self.denials:
            return Wish(most_bytes, failures=self.failures, denials=self.denials)
        return None


def days_of(tenant_settings: Mapping[str, Any], most: float) -> float:
    """How long records of a tenant stay: `most` is the installation's, and a tenant may have chosen less."""
    return float(min(tenant_settings.get("records", {}).get("days", most), most))


NOTHING: Final = RecordPolicy()
"""`off`."""
DEFAULT: Final = RecordPolicy(failures=True, denials=True, sample=0.05)
"""Of a first start."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to keep of one leg, which its outcome decides.

    Attributes:
        most_bytes: of its record as JSON.
        always: why it is kept however it ends.
        failures, denials: it is kept when it ends so.
    """

    most_bytes: int
    always: Literal["", "sample", "all", "failures", "denials"] = ""
    failures: bool = False
    denials: bool = False

    @property
    def wire(self) -> list[Any]:
        """As JSON, for a worker."""
        return [self.most_bytes, self.always, self.failures, self.denials]

    @classmethod
    def read(cls, wire: list[Any]) -> Wish:
        """From what `wire` made."""
        return cls(*wire)

    def reason(self, outcome: FlowOutcome) -> Reason | Literal["waits"] | None:
        """Why a leg with this outcome is kept; None when it is not. `waits`: the flow is suspended, and how
        it ends will say."""
        if self.failures and _failed(outcome):
            return "failures"
        if self.denials and outcome.decision is Decision.DENY:
            return "denials"
        if self.always:
            return self.always
        return "waits" if outcome.decision is Decision.SUSPENDED else None


def _failed(outcome: FlowOutcome) -> bool:
    return outcome.decision is Decision.FAILED or any(
        action.status is Status.FAILED for action in outcome.actions
    )


def _share(text: str) -> float:
    """Raises `PolicyError`."""
    if not _SHARE.fullmatch(text) or float(text) > 1:
        raise PolicyError(f"a sample is a share from 0 to 1, in millionths, such as 0.05; {text!r} is none")
    return float(text)
