"""The HTTP service: settings, authentication, errors, and the app that the two APIs hang on."""
