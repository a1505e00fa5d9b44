"""From a file to judged records, as pure functions: readers, duplicates, tags."""
