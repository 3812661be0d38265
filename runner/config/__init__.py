"""What an installation is given: the service's settings and its key ring, checked before they are used."""
