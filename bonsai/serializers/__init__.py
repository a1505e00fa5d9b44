"""From values to the schemas that programs are answered with: written once, for `--json` and the REST API."""
