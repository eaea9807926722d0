"""The viewer: image, annotations, tools. Knows domain records; knows nothing of projects, SQL or jobs."""
