"""The rules of Etappe, in plain Python: no database, no clock, no network. Time is always an argument."""
