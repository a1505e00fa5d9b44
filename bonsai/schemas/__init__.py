"""The one pydantic model of each thing that leaves the program, for `--json`, the REST API and status files."""
