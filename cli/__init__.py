"""The command `etappe`. What it refuses, it refuses in one sentence; what it prints for people, it gives as JSON too."""
