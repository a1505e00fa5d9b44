"""From values to what the templates show: sentences, rows and plots; no HTML here."""
