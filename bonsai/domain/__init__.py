"""Pure values and rules: records, snapshots, promotion states. Nothing here reads or writes."""
