"""Actions: what people change. Each reads, applies the domain's rules, and writes once."""
