"""How people hear of it: typed messages, dedup keys, links, rendering, senders. Knows no database."""
