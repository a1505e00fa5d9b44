"""Who may use the dashboard and the API: users, sessions, tokens, and who asks too often."""
