"""The figures: scripts that print medians, each run by itself."""
