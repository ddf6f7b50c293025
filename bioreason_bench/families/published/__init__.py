"""published: the files of SCAN, COGS, CFQ and GeoQuery that a user has, as a release."""
