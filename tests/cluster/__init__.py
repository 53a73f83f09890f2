"""Two of each part of deploy/compose.yaml on this machine, with PostgreSQL and Redis: `make cluster`.

Takes some minutes, most of them waiting as Etappe does in truth, so it is no part of `make test`.
"""
