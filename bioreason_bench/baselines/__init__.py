"""Names of 0.1.0 that exported folders and saved runs import; removed in 0.3.  See CHANGELOG."""
