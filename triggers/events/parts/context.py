"""The context of a login: methods used so far, forms, experiments, and what the host adds."""

from __future__ import annotations

from typing import Annotated, ClassVar

from triggers.events.model.base import (
    CREDENTIAL,
    PACKAGE,
    PACKAGE_SAMPLE,
    PLAIN,
    OpenMap,
    Part,
    Timestamp,
    filled,
    known,
    may,
    must,
)
from triggers.events.parts.risk import EdgeRisk, RiskAssessment

MethodName = Annotated[
    str, known("federated", "pwd", "passkey", "sms", "email", "phone_number", "mock", "mfa")
]


class Method(Part):
    """One way in which the user authenticated."""

    name: MethodName = must("Method, or the URL that `api.authentication.recordMethod` was given.", PLAIN)
    timestamp: Timestamp = must("When it was completed.", PLAIN)
    type: str | None = may("Factor that was used, when `name` is `mfa`.", PLAIN)


class LoginAuthentication(Part):
    """The user's authentication so far."""

    methods: list[Method] = must("Methods completed during the session, as of the start of this Action.")
    riskAssessment: RiskAssessment | None = may("Risk assessment of the login.")


class ResetAuthentication(Part):
    """The user's authentication so far."""

    OPEN: ClassVar[bool] = True

    methods: list[Method] = must("Methods completed during the session, as of the start of this Action.")
    riskAssessment: EdgeRisk | None = may("Risk assessment.")


class Prompt(Part):
    """The result of a form; there in the continue handler."""

    id: str = must("Id of the form (`ap_...`).", PLAIN)
    fields: OpenMap | None = may("Values of its fields, hidden ones included.")
    vars: OpenMap | None = may("Variables that stayed on the server.")


class Parameter(Part):
    """One parameter of an experiment's variation."""

    value: object = may("Its value.")


class Experiment(Part):
    """The experiment the user takes part in."""

    config: dict[str, Parameter] | None = may("Parameters of the variation, by name.")
    experiment_id: str | None = may("Id of the experiment.", PLAIN)
    is_control: bool | None = may("Whether the variation is the control.", PLAIN)
    variation_description: str | None = may("What the variation is about.", PLAIN, state=PACKAGE_SAMPLE)
    variation_id: str | None = may("Id of the variation.", PLAIN)
    variation_name: str | None = may("Name of the variation.", PLAIN, state=PACKAGE_SAMPLE)


class Event(Part):
    """The members of every event, whatever its trigger."""

    configuration: OpenMap = filled(
        "Private settings of the Action; empty unless it comes from a marketplace.", state=PACKAGE
    )
    secrets: dict[str, str] = filled("Secrets of this Action, by name.", CREDENTIAL)
