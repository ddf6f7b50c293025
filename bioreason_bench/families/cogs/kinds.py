"""The 21 ways to generalise of COGS (Kim & Linzen 2020, table 1 and section 3), all covered.

A lexical kind has words of its own.  Training shows each of them in one use, and as often as the
settings say; the test has it in another use.  A structural kind has no words of its own.

| level | kinds |
|---|---|
| zeroshot | the word is known alone only, in no sentence |
| composition | word and use are both known, but not together; or a preposition and a subject |
| depth | more clauses or prepositions inside each other than training has |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ALONE", "IN_DISTRIBUTION", "KINDS", "LEXICAL", "STRUCTURAL", "Kind", "Use"]

IN_DISTRIBUTION = "in_distribution"


@dataclass(frozen=True)
class Use:
    """Where a word stands.

    Attributes:
        frames: The frames of the clause; none for the word alone.
        role: The role that a name or noun has there; "" for the verb, "bare" for the verb after
            "to".
    """

    frames: tuple[str, ...] = ()
    role: str = ""


ALONE = Use()


@dataclass(frozen=True)
class Kind:
    """One way to generalise.

    Attributes:
        level: The level of its test questions.
        words: Class of its words; "" for a structural kind.
        shown: What training shows.
        tested: What the test asks for.
        section: Of the paper.
        example: What is shown -> what is tested.
    """

    level: str
    words: str
    shown: Use
    tested: Use
    section: str
    example: str


SUBJECT = Use(("unergative", "omitted", "transitive", "optional", "dative_to"), "agent")
OBJECT = Use(("transitive", "optional", "causative"), "theme")
LEXICAL: Mapping[str, Kind] = {
    "subj_to_obj_common": Kind(
        *("composition", "animate", SUBJECT, OBJECT, "3.1.1"),
        "The pelican nodded -> Ines greeted the pelican",
    ),
    "subj_to_obj_proper": Kind(
        *("composition", "names", SUBJECT, OBJECT, "3.1.2"), "Ivo nodded -> Ines greeted Ivo"
    ),
    "obj_to_subj_common": Kind(
        *("composition", "animate", OBJECT, SUBJECT, "3.1.3"),
        "Ines greeted the pelican -> The pelican nodded",
    ),
    "obj_to_subj_proper": Kind(
        *("composition", "names", OBJECT, SUBJECT, "3.1.4"), "Ines greeted Ivo -> Ivo nodded"
    ),
    "prim_to_subj_common": Kind(
        *("zeroshot", "animate", ALONE, SUBJECT, "3.1.5"), "pelican -> The pelican nodded"
    ),
    "prim_to_subj_proper": Kind(
        *("zeroshot", "names", ALONE, SUBJECT, "3.1.6"), "Ivo -> Ivo nodded"
    ),
    "prim_to_obj_common": Kind(
        *("zeroshot", "animate", ALONE, OBJECT, "3.1.7"), "pelican -> Ines greeted the pelican"
    ),
    "prim_to_obj_proper": Kind(
        *("zeroshot", "names", ALONE, OBJECT, "3.1.8"), "Ivo -> Ines greeted Ivo"
    ),
    "prim_to_inf_arg": Kind(
        *("zeroshot", "unergative", ALONE, Use(("infinitival",), "bare"), "3.1.9"),
        "nod -> Ines wanted to nod",
    ),
    "active_to_passive": Kind(
        *("composition", "transitive", Use(("transitive",)), Use(("passive", "passive_by"))),
        *("3.4.1", "Ines greeted a monk -> A monk was greeted"),
    ),
    "passive_to_active": Kind(
        *("composition", "transitive", Use(("passive", "passive_by")), Use(("transitive",))),
        *("3.4.2", "A monk was greeted -> Ines greeted a monk"),
    ),
    "obj_omitted_transitive_to_transitive": Kind(
        *("composition", "omissible", Use(("omitted",)), Use(("optional",)), "3.4.3"),
        "Ines baked -> Ines baked the cake",
    ),
    "unacc_to_transitive": Kind(
        *("composition", "unaccusative", Use(("unaccusative",)), Use(("causative",)), "3.4.4"),
        "The vase cracked -> Ines cracked the vase",
    ),
    "do_dative_to_pp_dative": Kind(
        *("composition", "dative", Use(("dative_double",)), Use(("dative_to",)), "3.4.5"),
        "Ines mailed Ivo a coin -> Ines mailed a coin to Ivo",
    ),
    "pp_dative_to_do_dative": Kind(
        *("composition", "dative", Use(("dative_to",)), Use(("dative_double",)), "3.4.6"),
        "Ines mailed a coin to Ivo -> Ines mailed Ivo a coin",
    ),
    "only_seen_as_transitive_subj_as_unacc_subj": Kind(
        *("composition", "animate", Use(("transitive", "optional"), "agent")),
        *(Use(("unaccusative",), "theme"), "3.5.1", "The monk greeted Ines -> The monk vanished"),
    ),
    "only_seen_as_unacc_subj_as_obj_omitted_transitive_subj": Kind(
        *("composition", "animate", Use(("unaccusative",), "theme")),
        *(Use(("omitted",), "agent"), "3.5.2", "The monk vanished -> The monk baked"),
    ),
    "only_seen_as_unacc_subj_as_unerg_subj": Kind(
        *("composition", "animate", Use(("unaccusative",), "theme")),
        *(Use(("unergative",), "agent"), "3.5.3", "The monk vanished -> The monk nodded"),
    ),
}
STRUCTURAL: Mapping[str, Kind] = {
    "obj_pp_to_subj_pp": Kind(
        *("composition", "", ALONE, ALONE, "3.2.1"),
        "Ines saw a monk in a tent -> A monk in a tent nodded",
    ),
    "cp_recursion": Kind(
        *("depth", "", ALONE, ALONE, "3.3.1"),
        "Ines said that Ivo said that the monk nodded -> ... that ... that ... that ...",
    ),
    "pp_recursion": Kind(
        *("depth", "", ALONE, ALONE, "3.3.2"),
        "a coin in a box on a table -> a coin in a box on a table beside a tent in ...",
    ),
}
KINDS: Mapping[str, Kind] = {**LEXICAL, **STRUCTURAL}
