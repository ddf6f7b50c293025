"""Who exists and what is true: relation table, word lists, people, facts."""
