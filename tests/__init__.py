"""Tests read as the specification: each states one rule."""
