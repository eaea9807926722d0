-- A plan of many runs that are compared. Its runs carry its name; project_state is what they all learn from and are
-- scored on.
CREATE TABLE experiment (
  name TEXT PRIMARY KEY,
  settings_json TEXT NOT NULL,
  project_state TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
ALTER TABLE run ADD COLUMN experiment TEXT REFERENCES experiment (name);
