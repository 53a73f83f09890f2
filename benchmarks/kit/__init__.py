"""What several benchmarks need: filled databases, processes looked at from outside, plots."""
