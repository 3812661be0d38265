"""Commands of authors, which need no service: run, resume, test, check, replay, and what is declared."""
