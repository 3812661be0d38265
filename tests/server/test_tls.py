"""The certificate that `serve --https` makes for itself."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from runner.model.errors import InputError
from runner.server.transport import tls
from runner.server.transport.tls import self_made


def names(path: Path) -> set[str]:
    cert = x509.load_pem_x509_certificate(path.read_bytes())
    found = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in found}


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    files = self_made(tmp_path / "tls")
    assert names(files.cert) == {"localhost", "127.0.0.1", "::1"}
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    first = files.cert.read_bytes()
    assert self_made(tmp_path / "tls").cert.read_bytes() == first
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    assert files.ca is not None
    ssl.create_default_context(cafile=str(files.ca))


def test_it_is_made_anew_for_another_name_or_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = self_made(tmp_path).cert.read_bytes()
    files = self_made(tmp_path, "actions.quay.example")
    second = files.cert.read_bytes()
    assert second != first
    assert "actions.quay.example" in names(files.cert)
    assert self_made(tmp_path).cert.read_bytes() == second, "it covers localhost as well"
    cert = x509.load_pem_x509_certificate(second)
    assert cert.not_valid_after_utc - datetime.now(UTC) < timedelta(days=398), "more is refused by browsers"
    monkeypatch.setattr(tls, "_RENEW_BEFORE", timedelta(days=400))
    assert self_made(tmp_path, "actions.quay.example").cert.read_bytes() != second


def test_a_damaged_one_is_replaced(tmp_path: Path) -> None:
    files = self_made(tmp_path)
    files.cert.write_text("nonsense")
    assert names(self_made(tmp_path).cert) == {"localhost", "127.0.0.1", "::1"}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        self_made(tmp_path / "file")
    assert caught.value.code == "no_certificate"
