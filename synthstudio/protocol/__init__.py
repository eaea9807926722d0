"""What crosses the pipe between a host (window or command) and the engine: JSON lines, one message a line."""
