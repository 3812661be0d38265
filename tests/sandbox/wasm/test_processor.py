"""Native code is found again only on processors that can run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.wasm import artefacts
from sandbox.wasm.processor import processor_of

X86 = "processor\t: 0\nmodel name\t: {model}\nflags\t\t: fpu {flags}\nbugs\t\t:\n"


def test_a_processor_is_what_native_code_uses_of_it() -> None:
    plain = X86.format(model="A", flags="pni ssse3 sse4_1 popcnt avx avx2 md_clear")
    assert processor_of(plain) == processor_of(
        X86.format(model="B", flags="avx2 avx popcnt sse4_1 ssse3 pni")
    )
    assert processor_of(plain) != processor_of(plain.replace("avx2", "avx2 avx512f"))
    assert processor_of("Features : fp asimd atomics\n") != processor_of("Features : fp asimd\n")
    assert processor_of("") == processor_of("flagship : avx\n")


def test_another_processor_builds_native_images_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a container image that was made elsewhere. What is no native code stays."""
    monkeypatch.setenv("ACTIONBOX_CACHE", str(tmp_path))
    made: list[str] = []

    def build(text: str) -> bytes:
        made.append(text)
        return text.encode()

    for cpu in ("here", "there", "here"):
        monkeypatch.setattr(artefacts, "processor", lambda cpu=cpu: cpu)
        for name in ("python-native", "javascript-image", "javascript-action", "python-component"):
            artefacts.load_or_build(name, "key", lambda name=name, cpu=cpu: build(f"{name} {cpu}"))  # type: ignore[misc]
    assert made == [
        "python-native here",
        "javascript-image here",
        "javascript-action here",
        "python-component here",
        "python-native there",
        "javascript-image there",
        "javascript-action there",
    ]
