"""The story of Etappe, readable top to bottom: a rollout, and the check that finds what has stalled."""
