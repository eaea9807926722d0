"""Pure functions on arrays and records: no Qt, torch, SQL, threads or print."""
