-- Annotations whose patch is pasted nowhere. Without a reference to the annotation on purpose: ids are never given
-- twice, and a deletion that is undone brings its annotation back under its id, still rejected.
CREATE TABLE rejected_patch (
  annotation_id INTEGER PRIMARY KEY,
  rejected_at TEXT NOT NULL
) STRICT;
