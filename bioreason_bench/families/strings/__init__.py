"""Programs over strings: skills under meaningless names, put together by routings."""
