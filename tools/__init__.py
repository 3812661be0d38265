"""Tools for maintainers: probes of conformance, generators of pages, checks of JavaScript. Not shipped."""
