"""The GPU process: runs one job a process and speaks JSON lines. Nobody imports it."""
