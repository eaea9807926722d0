-- Guide images of a diffusion model: FOVs, or parts of them, each with its caption. Only their order counts in `position`.
CREATE TABLE guide_set (
  name TEXT PRIMARY KEY CHECK (length(name) > 0),
  class_name TEXT NOT NULL,
  identifier TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE TABLE guide_image (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  set_name TEXT NOT NULL REFERENCES guide_set (name) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  fov_id INTEGER NOT NULL REFERENCES fov (id) ON DELETE CASCADE,
  x0 REAL,
  y0 REAL,
  x1 REAL,
  y1 REAL,
  caption TEXT NOT NULL DEFAULT '',
  CHECK ((x0 IS NULL) = (y0 IS NULL) AND (x0 IS NULL) = (x1 IS NULL) AND (x0 IS NULL) = (y1 IS NULL)),
  CHECK (x0 IS NULL OR (x1 > x0 AND y1 > y0))
) STRICT;
CREATE INDEX guide_image_set ON guide_image (set_name, position);
CREATE INDEX guide_image_fov ON guide_image (fov_id);
