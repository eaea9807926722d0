-- What a round of annotating, training and suggesting began with. Its jobs carry its name, as those of every plan do;
-- what cannot be read from them afterwards, because annotations go on changing, stands here.
CREATE TABLE round (
  name TEXT PRIMARY KEY REFERENCES experiment (name),
  n_annotations INTEGER NOT NULL,
  n_complete INTEGER NOT NULL,
  n_actions INTEGER NOT NULL,
  expert_s REAL NOT NULL,
  test_state TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
