-- A verdict keeps how long was looked, and one of an image may be final: it settles what reviewers disagree about, beside
-- the verdict that the same person gave before. The primary key grows, so the table is made anew; nothing refers to it.
CREATE TABLE verdict_2 (
  set_name TEXT NOT NULL REFERENCES synthetic_set (name) ON DELETE CASCADE,
  image_index INTEGER NOT NULL,
  is_final INTEGER NOT NULL DEFAULT 0 CHECK (is_final IN (0, 1)),
  reviewer TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('accepted', 'rejected', 'unsure')),
  reason TEXT NOT NULL DEFAULT '',
  seconds REAL NOT NULL DEFAULT 0 CHECK (seconds >= 0),
  created_at TEXT NOT NULL,
  PRIMARY KEY (set_name, image_index, is_final, reviewer)
) STRICT, WITHOUT ROWID;
INSERT INTO verdict_2 (set_name, image_index, reviewer, kind, reason, created_at)
  SELECT set_name, image_index, reviewer, kind, reason, created_at FROM verdict;
DROP TABLE verdict;
ALTER TABLE verdict_2 RENAME TO verdict;
CREATE UNIQUE INDEX verdict_final ON verdict (set_name, image_index) WHERE is_final = 1;
