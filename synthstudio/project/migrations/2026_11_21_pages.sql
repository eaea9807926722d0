-- Which image of a stack an FOV shows, from 0; NULL where its file holds one image.
ALTER TABLE fov ADD COLUMN page INTEGER CHECK (page >= 0);
