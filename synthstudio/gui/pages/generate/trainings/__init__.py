"""What the trainings of generators share: which there are, how one goes, and the form of a new one."""
