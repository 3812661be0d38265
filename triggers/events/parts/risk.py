"""Risk signals: Auth0's own assessors and what an Akamai edge forwards."""

from __future__ import annotations

from typing import Annotated, ClassVar

from triggers.events.model.base import (
    CONTACT,
    EARLY_ACCESS,
    IDENTIFIER,
    NETWORK,
    PLAIN,
    Number,
    OpenMap,
    Part,
    known,
    may,
    must,
)

Confidence = Annotated[str, known("low", "medium", "high", "neutral")]
Recognition = Annotated[str, known("unknown", "known")]
AgentCode = Annotated[str, known("unknown", "verified_agent")]
TravelCode = Annotated[
    str,
    known(
        "minimal_travel_from_last_login",
        "travel_from_last_login",
        "substantial_travel_from_last_login",
        "impossible_travel_from_last_login",
        "invalid_travel",
        "missing_geoip",
        "anonymous_proxy",
        "unknown_location",
        "initial_login",
        "location_history_not_found",
        "assessment_not_available",
    ),
]
DeviceCode = Annotated[
    str,
    known(
        "initial_login",
        "assessment_not_available",
        "match",
        "partial_match",
        "no_match",
        "unknown_device",
        "no_device_history",
    ),
]
AddressCode = Annotated[
    str,
    known("assessment_not_available", "not_found_on_deny_list", "found_on_deny_list", "invalid_ip_address"),
]


class AgentAssessmentDetails(Part):
    """More about a recognised software agent."""

    provider: str | None = may("Vendor of the agent.", PLAIN)


class AgentAssessment(Part):
    """Whether a recognised software agent is logging in."""

    code: AgentCode = must("What the assessor found.", PLAIN)
    confidence: Confidence = must("How far this assessor trusts the login.", PLAIN)
    details: AgentAssessmentDetails | None = may("More about the agent.")


class TravelAssessment(Part):
    """Distance and time since the previous login, seen together."""

    code: TravelCode = must("What the assessor found.", PLAIN)
    confidence: Confidence = must("How far this assessor trusts the login.", PLAIN)


class DeviceAssessmentDetails(Part):
    """The marks of the device that were seen before."""

    device: Recognition | None = may("Whether the device cookie is known.", PLAIN)
    useragent: Recognition | None = may("Whether the user agent is known.", PLAIN)


class DeviceAssessment(Part):
    """Whether the device was seen before."""

    code: DeviceCode = must("What the assessor found.", PLAIN)
    confidence: Confidence = must("How far this assessor trusts the login.", PLAIN)
    details: DeviceAssessmentDetails | None = may("Which marks were recognised.")


class AddressAssessmentDetails(Part):
    """The entry of the deny list that matched."""

    category: str | None = may("Kind of bad reputation, such as abuse.", PLAIN)
    ip: str | None = may("Address that was looked up.", NETWORK)
    matches: str | None = may("Address range of the matching entry (CIDR).", NETWORK)
    source: str | None = may("Name of the deny list.", PLAIN)


class AddressAssessment(Part):
    """Reputation of the caller's address."""

    code: AddressCode = must("What the assessor found.", PLAIN)
    confidence: Confidence = must("How far this assessor trusts the login.", PLAIN)
    details: AddressAssessmentDetails | None = may("The matching entry.")


class Assessments(Part):
    """One entry for each assessor that ran."""

    AgentDetection: AgentAssessment | None = may("Recognition of software agents.")
    ImpossibleTravel: TravelAssessment | None = may("Travel since the previous login.")
    NewDevice: DeviceAssessment | None = may("Recognition of the device.")
    UntrustedIP: AddressAssessment | None = may("Reputation of the address.")


class AkamaiBot(Part):
    """Verdict of Akamai's bot manager."""

    type: str | None = may("Class of bot.", PLAIN)
    action: str | None = may("What Akamai did about it.", PLAIN)
    botCategory: list[str] | None = may("Categories the bot falls in.", PLAIN)
    botScore: Number | None = may("Score of the request.", PLAIN)
    botScoreResponseSegment: str | None = may("Segment the score falls in.", PLAIN)
    botnetId: str | None = may("Id of the botnet.", PLAIN)


class AkamaiUserRisk(Part):
    """Verdict of Akamai's account protector."""

    action: str | None = may("What Akamai did about it.", PLAIN)
    allow: Number | None = may("Whether the user is on the allow list (a number).", PLAIN)
    emailDomain: str | None = may("Domain of the user's email address.", CONTACT)
    general: OpenMap | None = may("General signals.")
    ouid: str | None = may("Akamai's id of the user at the origin.", IDENTIFIER)
    requestid: str | None = may("Akamai's id of the request.", IDENTIFIER)
    risk: OpenMap | None = may("Signals that speak against the user.")
    score: Number | None = may("Score of the user.", PLAIN)
    status: Number | None = may("Status code of the verdict.", PLAIN)
    trust: OpenMap | None = may("Signals that speak for the user.")
    username: str | None = may("User name as Akamai saw it.", IDENTIFIER)
    uuid: str | None = may("Akamai's unique id.", IDENTIFIER)


class Akamai(Part):
    """Signals that an Akamai edge put into request headers."""

    OPEN: ClassVar[bool] = True

    akamaiBot: AkamaiBot | None = may("Bot verdict.")
    akamaiUserRisk: AkamaiUserRisk | None = may("User risk verdict.")


class SupplementalRisk(Part):
    """Risk signals of third parties."""

    akamai: Akamai | None = may("What Akamai forwarded.", state=EARLY_ACCESS)


class EdgeRisk(Part):
    """Risk assessment where only third parties contribute."""

    supplemental: SupplementalRisk | None = may("Signals of third parties.")


class RiskAssessment(EdgeRisk):
    """Risk assessment of a login."""

    assessments: Assessments = must("Result of each assessor that ran.")
    confidence: Confidence = must("All assessors taken together.", PLAIN)
    version: str = must("Version of the assessment's format.", PLAIN)


class EdgeAuthentication(Part):
    """Authentication signals where only the edge's risk verdict is known."""

    riskAssessment: EdgeRisk | None = may("Risk assessment.")
