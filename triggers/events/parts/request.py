"""The HTTP request behind an execution, in the variants the triggers see."""

from __future__ import annotations

from typing import ClassVar

from triggers.events.model.base import Number, OpenMap, Part, may, must


class GeoIp(Part):
    """The place of the caller's address, as far as a lookup can tell."""

    OPEN: ClassVar[bool] = True

    cityName: str | None = may("City.")
    continentCode: str | None = may("Continent, two letters.")
    countryCode: str | None = may("Country, two letters (ISO 3166).")
    countryCode3: str | None = may("Country, three letters (ISO 3166).")
    countryName: str | None = may("Country by name.")
    latitude: Number | None = may("Degrees north.")
    longitude: Number | None = may("Degrees east.")
    subdivisionCode: str | None = may("Code of the state or province.")
    subdivisionName: str | None = may("State or province by name.")
    timeZone: str | None = may("Time zone by its IANA name.")


class Request(Part):
    """The HTTP request behind this execution."""

    geoip: GeoIp = must("Location of the caller's address.")
    hostname: str | None = may("Host name the request was sent to.")
    ip: str = must("Address of the caller.")
    language: str | None = may("Language the browser asks for.")
    method: str = must("HTTP method.")
    user_agent: str | None = may("The User-Agent header.")


class BodyRequest(Request):
    """The HTTP request behind this execution, with its form or JSON body."""

    body: OpenMap = must("Parameters of the request body; empty when there were none.")


class QueryRequest(BodyRequest):
    """The HTTP request behind this execution; a new one when a suspended flow resumes."""

    query: OpenMap = must("Parameters of the query string.")


class LoginRequest(QueryRequest):
    """The HTTP request behind this execution; a new one when a suspended flow resumes."""

    asn: str | None = may("Number of the autonomous system the caller is in.")


class EmailRequest(Part):
    """The request that led to an email, as far as there was one."""

    geoip: GeoIp | None = may("Location of the caller's address.")
    hostname: str | None = may("Host name the request was sent to.")
    ip: str | None = may("Address of the caller.")
    query: OpenMap | None = may("Parameters of the query string.")
    user_agent: str | None = may("The User-Agent header.")


class TransferRequest(Part):
    """The request that issued a session transfer token."""

    asn: str | None = may("Number of the autonomous system the caller was in.")
    geoip: GeoIp | None = may("Location of the caller's address.")
    ip: str = must("Address of the caller.")
    user_agent: str | None = may("The User-Agent header.")
