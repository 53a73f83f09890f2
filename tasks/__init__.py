"""Thin Prefect tasks: each calls one operation, logs what came of it, and returns."""
