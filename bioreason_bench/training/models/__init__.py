"""Models and tokenizers: loading, the nano transformer, batched sampling."""
