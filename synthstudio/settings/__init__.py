"""One frozen pydantic model per job kind: the only place where a setting is declared."""
