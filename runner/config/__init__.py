"""Configuration of an installation: the service's settings and its key ring, checked before use."""
