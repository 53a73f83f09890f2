"""A worker type for Prefect that forks each flow run from a process that has imported everything (docs/adr/0013)."""
