"""All of Etappe, started as a newcomer starts it."""
