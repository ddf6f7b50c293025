"""The laws that every release must keep, one module per kind of row."""
