"""The data card, Croissant metadata and publication on the Hugging Face Hub."""
