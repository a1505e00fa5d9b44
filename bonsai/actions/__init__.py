"""What people do: each action reads, lets the rules decide, and writes once."""
