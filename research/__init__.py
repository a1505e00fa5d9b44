"""What made the things that Bonsai ships, and its experiments. Nothing here runs at night, and no wheel holds it."""
