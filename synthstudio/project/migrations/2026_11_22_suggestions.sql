-- What trained models propose to annotate: apart from annotations, so that nothing counts or trains on them by accident.
-- Without a reference to the annotation on purpose: ids are never given twice, and a deletion that is undone brings
-- the annotation back under its id, and with it where it came from.
CREATE TABLE suggestion (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  fov_id INTEGER NOT NULL REFERENCES fov (id) ON DELETE CASCADE,
  run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  class_id INTEGER NOT NULL REFERENCES object_class (id),
  x REAL NOT NULL,
  y REAL NOT NULL,
  x0 REAL,
  y0 REAL,
  x1 REAL,
  y1 REAL,
  size_px REAL CHECK (size_px > 0),
  score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'rejected')),
  annotation_id INTEGER,
  judged_by TEXT NOT NULL DEFAULT '',
  judged_at TEXT NOT NULL DEFAULT '',
  CHECK ((x0 IS NULL) = (y0 IS NULL) AND (x0 IS NULL) = (x1 IS NULL) AND (x0 IS NULL) = (y1 IS NULL)),
  CHECK (x0 IS NULL OR (x1 > x0 AND y1 > y0)),
  CHECK (state = 'accepted' OR annotation_id IS NULL),
  CHECK ((state = 'open') = (judged_at = ''))
) STRICT;
CREATE INDEX suggestion_fov ON suggestion (fov_id, run_id);
CREATE INDEX suggestion_run ON suggestion (run_id, class_id, state);
CREATE INDEX suggestion_annotation ON suggestion (annotation_id) WHERE annotation_id IS NOT NULL;

-- That a model has searched an FOV: without it, one on which it found nothing would pass for one that was never searched.
CREATE TABLE suggestion_search (
  run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  fov_id INTEGER NOT NULL REFERENCES fov (id) ON DELETE CASCADE,
  job_id TEXT NOT NULL,
  min_score REAL NOT NULL,
  searched_at TEXT NOT NULL,
  PRIMARY KEY (run_id, fov_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX suggestion_search_fov ON suggestion_search (fov_id);

-- From which score on suggestions of a class are shown: as tuned on validation, and as somebody has moved it.
CREATE TABLE suggestion_threshold (
  run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  class_id INTEGER NOT NULL REFERENCES object_class (id) ON DELETE CASCADE,
  tuned REAL NOT NULL CHECK (tuned BETWEEN 0 AND 1),
  chosen REAL CHECK (chosen BETWEEN 0 AND 1),
  PRIMARY KEY (run_id, class_id)
) STRICT, WITHOUT ROWID;
