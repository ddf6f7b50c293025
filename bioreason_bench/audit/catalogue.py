"""The laws of a release in the order of the report: name → one sentence.

The names are keys of audit.json and do not change.

A release of a user's own facts (`facts` in its config) need not keep what only invented people do:

    known circle      a parametric relation may lead to an entity without a parametric biography
    unique values     two entities may share a value of the kinds address, email and phone
    long lists        a list of values may be short, such as the continents
    conflict          entities of one context may have different numbers of sentences
    shortcuts         scores are printed, but real facts have regularities that a shortcut may use
    related once      a country may have one neighbour for two reasons
    folds, matched    a small graph has too few paths to spread its levels evenly
    dates, lives, ages, no cycles, one window
                      nothing to check: `date` and `older` are left out of its relation table

Not everybody has a fact of every relation there, and symmetric relations need not pair up
everybody; no law asks for either.
"""

from __future__ import annotations

from bioreason_bench.family import Family

__all__ = ["FILE_LAWS", "LAWS", "laws_of", "people_laws"]

LAWS: dict[str, str] = {
    # files
    "manifest": "manifest.json is readable, fits its schema, and lists its files under the right "
    "configs",
    "files": "the folder holds every file of the manifest, readable, those of the card, and "
    "nothing else",
    "shards": "the shards of a split are numbered without gaps and agree on their number",
    "rows": "each file has the number of rows given in the manifest, at least one",
    "digests": "the rows of each file have the digest given in the manifest",
    "schema": "each row fits the schema of its file: columns, types and values, in UTF-8 and "
    "without metadata",
    "marks": "one blank is between words, one line end between the lines of a context, and no "
    "other white space, control or invisible character in any text",
    "config": "the config is given in full and agrees with the head of the manifest; people, "
    "circles, births, hops and contexts are as it says",
    "canary": "the canary string is in the manifest and on the card",
    "card": "README.md and croissant.json name the files, splits and columns of the manifest and "
    "no others; chain.svg is a drawing",
    "audit": "audit.json, if there is one, is that of this release and says what this audit says",
    "official": "a release of the official preset and seed has its config and its test files",
    "against": "with --against, every file has the rows that this installation makes from the "
    "config and the seed",
    # the world
    "relations": "data/relations agrees with the manifest's relation table, which is the package's "
    "unless the config names another; inverses name each other",
    "unique names": "no two people share a name",
    "plain names": "every name is made of the package's first and last names, without a title or "
    "a suffix",
    "readable": "every sentence of a biography states one fact of its person, of the biography's "
    "own group",
    "whole biography": "a biography states each of the person's facts of its group once, and "
    "nothing else",
    "renderings": "everyone has the biographies that data/people calls for, as many paraphrases "
    "as the config says, no two with the same text",
    "held-out wordings": "as many people as the config says have held-out wordings, and all their "
    "parametric biographies leave out two wordings of each relation, the one of chains among them",
    "facts told": "data/facts holds exactly the facts that the biographies state",
    "functional": "a subject and a relation have at most one object",
    "objects": "relations to people lead to people, relations to values to values",
    "not oneself": "no one is related to themselves",
    "one to one": "symmetric and inverse relations never lead two people to the same person",
    "known circle": "a parametric relation leads from known people to known people",
    "symmetry": "a symmetric relation holds in both directions, and both biographies state it",
    "inverses": "a fact and its mirror under the inverse relation agree, also across groups",
    "dates": "dates exist in the calendar and precede the fixed reference date",
    "lives": "people die at least 18 years after their birth",
    "ages": "related people have the difference in age that the relation table asks for",
    "no cycles": "no one is their own ancestor",
    "related once": "two people are related in one way only, a relation and its mirror aside",
    "one window": "with leak guards, all relations between people have the same window of ages, "
    "but for those whose objects are always older or always younger",
    "values": "every value is one of its pool, or made of the package's words",
    "unique values": "values such as e-mail addresses belong to one person each",
    "long lists": "lists of values hold at least 40, or an eighth of the facts if that is less",
    # paths
    "path shape": "a path has no relation twice, no step straight back, none that common sense "
    "decides and only people on the way; its groups fit the skill, and with distractors comp has "
    "no pattern PCC or CCC",
    "path levels": "a path has one level; zero-shot paths are those with an untrained relation",
    "atomic": "comp paths use only relations trained in their atomic skill",
    # questions
    "unique ids": "no two rows share an id",
    "placed": "skill, level, portion and the prefix of the id fit the row's file, and the id ends "
    "in the number of its start, before which it has one number for each path",
    "question": "the question reads back to its start and path",
    "columns": "pattern, hops, answer and answer_kind follow from path and entities",
    "context": "every sentence of a context states one fact of its line's person, once",
    "context people": "context_people names the people of the context's lines, each once; mem has "
    "no context",
    "lines": "a line of a context is the person's contextual biography with sentences left out: "
    "the same words in the same order, and always written alike, a contradicted fact aside",
    "places": "the people who are read about stand anywhere in their contexts: no place, and no "
    "place beside each other, is more or less frequent than luck explains",
    "support": "support says which line of the context states the fact of each hop",
    "context true": "every fact of a context is a fact of the biographies",
    "context group": "a context states contextual relations only: nothing that is to be recalled",
    "solution": "the question has exactly the answer and the entities that its text leads to",
    "chain": "the chain states each hop in order, in the first wording of its relation, and then "
    "the answer",
    "different people": "the people on a chain are all different",
    "guard": "no context states the mirror of a recalled hop, nor of a relation that could be "
    "mistaken for it",
    "co-mentions": "no sentence of a context names both ends of a recalled hop",
    "distractors": "at every hop that leads on, the person before is related in other ways to as "
    "many others as the config says, from whom the question leads to an answer; nobody is there "
    "beyond them, but for those who fill a long context",
    "names back": "of the people whom a hop between two read ones could lead to, all name the "
    "person before if its relation is symmetric, and none does otherwise",
    "alike": "everyone in a context states every contextual relation that the question asks for",
    "context length": "no one has more or fewer sentences in a context than the config says, but "
    "as many as the asked relations and the alternatives need",
    "context tokens": "with context_tokens, contexts of the levels have the lengths that it asks "
    "for, within 5 % or the length of a biography; each length is as frequent as luck explains",
    "bystanders": "a long context is about nobody of the chain but those who are read about",
    "depths": "in long contexts the people who are read about stand in every tenth of the lines, "
    "as often as luck explains",
    # levels
    "in paths": "every question follows a path listed in data/paths with its skill and level",
    "path_in_train": "certificate: the path is in the skill's training questions",
    "unseen_relations": "certificate: the relations of the path that are in no training question "
    "of the skill",
    "pairs_unseen": "certificate: the adjacent pairs of relations on the path that no training "
    "path of the skill joins",
    "start_in_train": "certificate: this start with this path is in training",
    "hops_beyond_train": "certificate: hops in excess of the longest training path",
    "people_in_train": "certificate: the number of people on the chain who are on training chains",
    "direction_seen": "certificate: no hop reverses a fact that the training biographies state in "
    "the other direction only",
    "heldout_wordings": "certificate: the recalled hops whose subject has held-out wordings",
    "train": "training questions: the path is an iid or train path",
    "iid": "level iid: path seen, this start with this path unseen",
    "composition": "level composition: path unseen, every relation seen; by folds, a pair of "
    "adjacent relations unseen",
    "zeroshot": "level zeroshot: at least one relation unseen",
    "entity": "level entity: path seen, no one on the chain seen",
    "depth": "level depth: longer than any training path, every relation seen; by folds, every "
    "pair seen",
    "folds": "by folds, the zero-shot test questions of a skill are spread evenly over its unseen "
    "relations, and over those that are recalled, read, or both",
    "matched": "by folds, the test levels iid and composition have the patterns and the kinds of "
    "answers of zeroshot",
    "once": "no start and path, and no question text, occurs twice in training, validation and "
    "test together, nor in one of the further kinds",
    "held-out starts": "if the config holds starts out, no test question has a start of a "
    "training question",
    "counts": "every split has as many questions as the config says",
    "portions": "the nested tenths of the training questions hold every path in equal shares",
    "rl": "rows for reinforcement learning follow trained paths, from starts that training does "
    "not use with them; by the scheme roles they are training rows",
    "probes": "every hop of every test question has its probe, which names the question once; "
    "there are no other probes",
    # the kinds of questions beyond the levels
    "open book": "an open book is the question of its level, with the same columns and the same "
    "contextual biographies, in another order",
    "open alternatives": "in an open book, as many others as the config has distractors, or as "
    "there are, could be meant at every recalled hop but the first: the biography before names "
    "them, and theirs is there; all parametric biographies state what the question asks for",
    "twins": "two questions of a counterfactual pair differ in the last read fact of the chain, "
    "and in their answers",
    "conflict": "one sentence contradicts the last fact of the chain, which is recalled and "
    "exclusive, and leads to the other answer; everyone who could be meant has such a sentence",
    "unanswerable": "two questions of an unanswerable pair have the same text; one context leaves "
    "out the last fact of the chain, the other the same relation of somebody else; nothing else "
    "differs",
    "direction": "each fact of an inverse pair is asked in both directions, without a context",
    # the solvers
    "oracle": "a solver that recalls and reads everything answers every question",
    "shortcuts": "with leak guards and distractors, no shortcut is more than three points above "
    "chance, sampling error aside",
}

# of releases of every family; the others are of people
FILE_LAWS: dict[str, str] = {
    law: LAWS[law]
    for law in (
        *("manifest", "files", "shards", "rows", "digests", "schema", "marks", "canary", "card"),
        *("audit", "official", "against"),
    )
}


def people_laws() -> dict[str, str]:
    """The laws of releases of people, those of files among them."""
    return LAWS


def laws_of(family: Family) -> dict[str, str]:
    """The laws of a release of a family in the order of the report; those of files come first."""
    own = family.laws()
    return {**({} if set(FILE_LAWS) <= set(own) else FILE_LAWS), **own}
