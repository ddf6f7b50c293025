"""The laws of a release of string programs in the order of the report: name → one sentence."""

from __future__ import annotations

from bioreason_bench.families.checks import COMMON_LAWS

__all__ = ["LAWS"]

LAWS = {
    **COMMON_LAWS,
    "definitions": "every skill and every routing has a name of its own and a definition that the "
    "interpreter understands, and that says what becomes of every letter",
    "program": "the question is a routing, its skills and a string, or one skill and a string; "
    "path, pattern and hops say the same",
    "letters": "the string of a question has as many letters as the config says",
    "trace": "the trace has the steps that the interpreter makes of the question, each with its "
    "result, and no other; the entities are the string and these results",
    "solution": "the answer is the one that the interpreter finds",
    "shown": "a context holds the rule, the definitions of all that the question names and as many "
    "others as the config says, as the manifest has them; without an open book, and if definitions "
    "are to be recalled, there is none",
    "path_in_train": "certificate: the routing with these skills is in the training programs",
    "unseen_primitives": "certificate: the skills and routings that are in no training program",
    "pairs_unseen": "certificate: the skills that no training program joins with this routing",
    "hops_beyond_train": "certificate: skills in excess of the longest training program",
    "known_from_atoms": "certificate: what is in no training program is in the isolated atoms",
    "held out": "as many skills, routings and pairs are in no training program as the config says",
    "hops": "programs have as many skills as the config says for their level",
    "iid": "level iid: program in training, with another string",
    "composition": "level composition: program not in training, all parts in training, a pair not",
    "zeroshot": "level zeroshot: at least one skill or routing in no training program",
    "depth": "level depth: more skills than any training program, all parts and pairs in training",
    "atoms": "isolated atoms are one skill, or one routing of skills that change nothing",
    "supports": "of the programs for reinforcement learning, those of the nested set are all in "
    "training, those of the disjoint set none, and those of the overlapping set about half",
    "tokens": "isolated atoms and compound programs of training have the same number of tokens, "
    "within five per cent; so have those for reinforcement learning",
    "portions": "the ten portions of a training set have equally many rows",
    "counts": "every split has as many questions as the config says",
    "open book": "an open book is the question of its level, with a context",
    "oracle": "the interpreter answers every test question",
    "shortcuts": "no shortcut answers more than half of the test questions of a level, unless it "
    "does what the level asks",
}
