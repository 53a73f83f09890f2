"""What Etappe remembers: SQLAlchemy tables, the database itself, and every query under a name."""
