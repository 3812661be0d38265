"""Between the sockets and the app: TLS, framing of requests, bounds on connections."""
