"""The command `etappe`. A refusal is one sentence; whatever is printed for people can be had as JSON."""
