"""Errors of the packages that an Action depends on."""

from __future__ import annotations


class DependencyError(Exception):
    """The dependencies of an Action cannot be had.

    Attributes:
        rule: stable name of the reason: `name`, `version`, `not-found`, `no-match`, `integrity`, `archive`,
            `native`, `platform`, `unsupported`, `kind`, `cap`, `network`, `registry`, `lock`, `bundle`,
            `load`.
        package: `name` or `name@version`, where one is to blame.
        message: one sentence for the tenant: which package, which version, why.
        next_step: what to do.
    """

    def __init__(self, rule: str, message: str, *, package: str | None = None, next_step: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.package = package
        self.message = message
        self.next_step = next_step or "Correct the dependency's name or version, or leave it out."
