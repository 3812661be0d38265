"""Test Actions: case files, the pytest plugin, and flows that are taken through their redirects."""
