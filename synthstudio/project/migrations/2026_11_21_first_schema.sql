CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE sample (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  split TEXT CHECK (split IN ('train', 'val', 'test'))
) STRICT;

CREATE TABLE fov (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sample_id INTEGER NOT NULL REFERENCES sample (id),
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  storage TEXT NOT NULL CHECK (storage IN ('copy', 'reference')),
  sha256 TEXT NOT NULL,
  width INTEGER NOT NULL CHECK (width > 0),
  height INTEGER NOT NULL CHECK (height > 0),
  um_per_px REAL CHECK (um_per_px > 0),
  tone INTEGER,
  state TEXT NOT NULL DEFAULT 'none' CHECK (state IN ('none', 'partial', 'exhaustive')),
  added_at TEXT NOT NULL,
  UNIQUE (sample_id, name)
) STRICT;
CREATE INDEX fov_sha256 ON fov (sha256);

CREATE TABLE object_class (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE CHECK (length(name) > 0),
  color TEXT NOT NULL,
  key TEXT NOT NULL DEFAULT '',
  role TEXT NOT NULL CHECK (role IN ('object', 'artifact')),
  size_um REAL CHECK (size_um > 0),
  size_px REAL CHECK (size_px > 0),
  position INTEGER NOT NULL
) STRICT;

-- A centre has no box (x0 .. y1 are NULL); x, y of a box is its middle.
CREATE TABLE annotation (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  fov_id INTEGER NOT NULL REFERENCES fov (id) ON DELETE CASCADE,
  class_id INTEGER NOT NULL REFERENCES object_class (id),
  x REAL NOT NULL,
  y REAL NOT NULL,
  x0 REAL,
  y0 REAL,
  x1 REAL,
  y1 REAL,
  size_px REAL CHECK (size_px > 0),
  author TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL CHECK (source IN ('manual', 'imported', 'simulated', 'suggested')),
  created_at TEXT NOT NULL,
  CHECK ((x0 IS NULL) = (y0 IS NULL) AND (x0 IS NULL) = (x1 IS NULL) AND (x0 IS NULL) = (y1 IS NULL)),
  CHECK (x0 IS NULL OR (x1 > x0 AND y1 > y0))
) STRICT;
CREATE INDEX annotation_fov ON annotation (fov_id, class_id);

CREATE TABLE image_label (
  fov_id INTEGER NOT NULL REFERENCES fov (id) ON DELETE CASCADE,
  class_id INTEGER NOT NULL REFERENCES object_class (id),
  present INTEGER NOT NULL CHECK (present IN (0, 1)),
  PRIMARY KEY (fov_id, class_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'finished', 'cancelled', 'failed')),
  title TEXT NOT NULL,
  settings_json TEXT NOT NULL,
  summary_json TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',
  hint TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  finished_at TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE metric (
  run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  step INTEGER NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (run_id, name, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE synthetic_set (
  name TEXT PRIMARY KEY,
  generator TEXT NOT NULL CHECK (generator IN ('composited', 'gan', 'diffusion')),
  run_id TEXT REFERENCES run (id),
  n_images INTEGER NOT NULL,
  manifest_sha256 TEXT NOT NULL,
  settings_json TEXT NOT NULL,
  project_state TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE verdict (
  set_name TEXT NOT NULL REFERENCES synthetic_set (name) ON DELETE CASCADE,
  image_index INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('accepted', 'rejected', 'unsure')),
  reason TEXT NOT NULL DEFAULT '',
  reviewer TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (set_name, image_index, reviewer)
) STRICT, WITHOUT ROWID;
