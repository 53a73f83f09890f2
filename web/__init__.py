"""What people see in a browser. Only this package knows FastAPI; whatever changes a rollout is left to operations/."""
