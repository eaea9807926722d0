"""Files with weights that somebody else has trained: what they are, told from their contents, without torch."""
