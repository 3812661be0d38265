"""The engine of JavaScript Actions: QuickJS in WebAssembly, its image, its compiler and its packages."""
