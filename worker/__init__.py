"""What runs beside the web pages: Prefect's server with its database, the worker, and what keeps them all together."""
