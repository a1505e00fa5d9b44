"""Files that survive a power cut, locks, processes, and how far a long step has come."""
