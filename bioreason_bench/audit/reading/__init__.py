"""Reading a release back: files, tables, biographies and questions as arrays of integers."""
