"""Models and tokenizers: load or create them, the nano transformer, batched sampling."""
