"""The people of a world and the facts about them: relation table, word lists, people, facts."""
