"""The same flows in process, in a worker without rights, and over HTTP."""
