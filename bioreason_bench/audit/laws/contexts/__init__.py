"""The laws of contexts: closed and open books, long contexts, and the order of lines."""
