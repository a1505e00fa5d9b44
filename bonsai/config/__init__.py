"""Settings: `defaults.toml`, the home's `bonsai.toml` and the environment, validated and explained."""
