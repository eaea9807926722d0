"""Schema changes: one SQL file per change, named date_topic, applied in the order of `MIGRATIONS`.

`PRAGMA user_version` holds how many of them a project has seen. The order is written down here, not derived from a
number in the file name, so that two people who add one on the same day cannot collide silently.
"""

from importlib import resources

MIGRATIONS: tuple[str, ...] = (
    "2026_11_21_first_schema",
    "2026_11_21_notes_and_reviews",
    "2026_11_21_rejected_patches",
    "2026_11_21_pages",
    "2026_11_21_experiments",
    "2026_11_22_verdict_facts",
    "2026_11_22_reading_studies",
    "2026_11_22_guide_sets",
    "2026_11_22_suggestions",
    "2026_11_22_rounds",
    "2026_11_22_gallery",
)


def migration_sql(name: str) -> str:
    """Return the SQL text of one migration."""
    return resources.files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
