-- Reviewed is a kind of exhaustive: a column beside the state needs no new table under the annotations, whose rows
-- would be deleted with the old one.
ALTER TABLE fov ADD COLUMN is_reviewed INTEGER NOT NULL DEFAULT 0
  CHECK (is_reviewed = 0 OR (is_reviewed = 1 AND state = 'exhaustive'));
ALTER TABLE fov ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE fov ADD COLUMN is_flagged INTEGER NOT NULL DEFAULT 0 CHECK (is_flagged IN (0, 1));

ALTER TABLE annotation ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE annotation ADD COLUMN is_flagged INTEGER NOT NULL DEFAULT 0 CHECK (is_flagged IN (0, 1));

ALTER TABLE object_class ADD COLUMN goal INTEGER CHECK (goal > 0);

-- Which classes a person saw on a crop of an FOV; x, y (top left corner) and side in full-resolution px. A crop that
-- was judged has a row for every class of that day, present or not.
CREATE TABLE crop_label (
  fov_id INTEGER NOT NULL REFERENCES fov (id) ON DELETE CASCADE,
  x INTEGER NOT NULL,
  y INTEGER NOT NULL,
  side INTEGER NOT NULL CHECK (side > 0),
  class_id INTEGER NOT NULL REFERENCES object_class (id),
  present INTEGER NOT NULL CHECK (present IN (0, 1)),
  author TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (fov_id, side, y, x, class_id)
) STRICT, WITHOUT ROWID;
