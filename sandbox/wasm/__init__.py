"""WebAssembly as both engines use it: compiled artefacts, instances, their memory, calls and traps."""
