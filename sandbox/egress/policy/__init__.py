"""Rules of requests: URLs, hosts and addresses, methods and headers, redirects."""
