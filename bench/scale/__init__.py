"""What more logins take: several fronts, what a login leaves in the database, and a simulation of both."""
