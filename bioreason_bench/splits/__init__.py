"""What training may show: roles of relations, levels of paths, and who gets how many questions."""
