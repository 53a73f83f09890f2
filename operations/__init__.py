"""The verbs: one per file, one transaction each. Whatever changes a rollout goes through here."""
