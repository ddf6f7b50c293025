"""bioreason: synthetic biographies, not biology.  See README.md."""

__version__ = "0.1.0"
