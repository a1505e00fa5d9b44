"""Users, sessions, API tokens and throttling."""
