"""Settings: `defaults.toml`, the home's `bonsai.toml`, the environment; checked, and explained."""
