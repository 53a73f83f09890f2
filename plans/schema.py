"""The JSON Schema of plan files, for editors: completion, descriptions, and red lines under mistakes."""

from __future__ import annotations

from typing import Any

from domain.plan import Plan


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a plan file."""
    schema = Plan.model_json_schema(by_alias=True)
    schema["title"] = "Etappe plan"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
