"""From a snapshot to an adapter: plan.py says what, qlora.py does it, worker.py is its own process."""
