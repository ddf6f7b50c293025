"""The laws of a release of biographies, one module for each kind of row."""
