"""The pure rules, without database, clock or network."""
