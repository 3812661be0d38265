"""The engine of Python Actions: CPython in WebAssembly, its image, its pool and its packages."""
