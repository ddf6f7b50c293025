"""Files for other trainers (TRL, LLaMA-Factory, veRL), and the world as a graph."""
