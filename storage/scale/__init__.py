"""What a home of a million records needs and a small one does not; docs/scale.md has the costs and gains."""
