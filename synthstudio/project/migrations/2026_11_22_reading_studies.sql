-- Reading studies. What a reader may know (study, pages, own answers) and what nobody may know before the study is
-- closed (secret, salt, truth) lie in tables of their own, so that a query for the one cannot return the other.
CREATE TABLE reading_study (
  name TEXT PRIMARY KEY,
  design_json TEXT NOT NULL,
  set_name TEXT NOT NULL,
  notes_json TEXT NOT NULL,
  commitment TEXT NOT NULL,
  created_at TEXT NOT NULL,
  closed_at TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE reading_secret (
  study TEXT PRIMARY KEY REFERENCES reading_study (name) ON DELETE CASCADE,
  secret TEXT NOT NULL,
  salt TEXT NOT NULL
) STRICT;
CREATE TABLE reading_truth (
  study TEXT NOT NULL REFERENCES reading_study (name) ON DELETE CASCADE,
  token TEXT NOT NULL,
  source TEXT NOT NULL,
  is_real INTEGER NOT NULL CHECK (is_real IN (0, 1)),
  class_name TEXT NOT NULL,
  condition TEXT NOT NULL,
  question INTEGER NOT NULL,
  PRIMARY KEY (study, token)
) STRICT, WITHOUT ROWID;
CREATE TABLE reading_reader (
  study TEXT NOT NULL REFERENCES reading_study (name) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  pages_json TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (study, number),
  UNIQUE (study, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE reading_page (
  study TEXT NOT NULL,
  reader INTEGER NOT NULL,
  page INTEGER NOT NULL,
  seconds REAL NOT NULL,
  completed_at TEXT NOT NULL,
  PRIMARY KEY (study, reader, page),
  FOREIGN KEY (study, reader) REFERENCES reading_reader (study, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE reading_answer (
  study TEXT NOT NULL,
  reader INTEGER NOT NULL,
  page INTEGER NOT NULL,
  token TEXT NOT NULL,
  is_picked INTEGER NOT NULL CHECK (is_picked IN (0, 1)),
  score REAL CHECK (score BETWEEN 0 AND 1),
  seconds REAL NOT NULL,
  answered_at TEXT NOT NULL,
  PRIMARY KEY (study, reader, page, token),
  FOREIGN KEY (study, reader) REFERENCES reading_reader (study, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
