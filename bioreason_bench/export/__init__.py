"""Files for other trainers, and the world as a graph."""
