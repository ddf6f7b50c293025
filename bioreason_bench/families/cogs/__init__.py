"""cogs: sentences and their logical forms, with the 21 ways to generalise of COGS."""
