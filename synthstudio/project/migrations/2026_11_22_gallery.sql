-- Words that people put on images and objects. Without references to those on purpose: ids are never given twice, and a
-- deletion that is undone brings image and object back with their tags. Images and objects of a set go by the ids that
-- its listing gives them; their tags end with the set.
CREATE TABLE tag (
  name TEXT NOT NULL CHECK (length(name) > 0),
  target TEXT NOT NULL CHECK (target IN ('image', 'object')),
  set_name TEXT REFERENCES synthetic_set (name) ON DELETE CASCADE,
  target_id INTEGER NOT NULL,
  tagged_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX tag_once ON tag (coalesce(set_name, ''), target, name, target_id);
CREATE INDEX tag_set ON tag (set_name);

-- Filters, order and look of the gallery under a name.
CREATE TABLE saved_view (
  name TEXT PRIMARY KEY CHECK (length(name) > 0),
  view_json TEXT NOT NULL,
  saved_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
