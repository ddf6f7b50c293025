"""SCAN from its grammar: the published commands, actions and splits, and splits of our own."""

from __future__ import annotations

import hashlib

import pytest

from bioreason_bench.draw import Draw
from bioreason_bench.families.scan.audit.interpreter import NotACommand, interpret
from bioreason_bench.families.scan.grammar import ACTIONS, Command, Phrase, all_commands
from bioreason_bench.families.scan.mcd import divergences, make_mcd, parts_of
from bioreason_bench.families.scan.splits import SPLITS, Split, make_split

COMMANDS = list(all_commands())
LINES = [f"IN: {' '.join(one.words())} OUT: {' '.join(one.actions())}" for one in COMMANDS]

# SHA-256 (16 digits) of the sorted lines of the files of github.com/brendenlake/SCAN, commit
# d91f945, and how many lines each has.  `simple` was drawn by its authors: sizes only.
PUBLISHED = {
    "length": ("114e6bdb1575f27d", 16_990, "45bb5e5f0e0678da", 3_920),
    "addprim_jump": ("1e5ab3357dc95826", 14_670, "48956239771e67de", 7_706),
    "addprim_turn_left": ("4f1ccb48ec39aed7", 21_890, "81acae1af5137165", 1_208),
    "around_right": ("aaf218dfd82a8b6a", 15_225, "f5f94bb13ea393fb", 4_476),
    "opposite_right": ("8f0e969c24011176", 15_225, "e148c4261607e2d9", 4_476),
    "primitive_right": ("d98bd73f93f488dc", 15_225, "770738098ffaef03", 4_476),
    "jump_around_right": ("d3f82d1c47c35af1", 18_528, "3590e013eaa75106", 1_173),
}
ALL = "345bff3c25864652"  # tasks.txt


def digest(lines):
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def test_the_grammar_derives_the_published_commands_with_the_published_actions():
    assert len(LINES) == len(set(LINES)) == 20_910
    assert digest(LINES) == ALL


def test_an_interpreter_without_common_code_finds_the_same_actions():
    different = [one for one in COMMANDS if interpret(one.words(), {}) != list(one.actions())]
    assert different == []


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_split_has_the_commands_of_the_published_files(name):
    train, train_size, test, test_size = PUBLISHED[name]
    split = make_split(name, COMMANDS, Draw(7))
    assert (len(split.train), len(split.test)) == (train_size, test_size)
    assert digest(LINES[index] for index in split.train) == train
    assert digest(LINES[index] for index in split.test) == test


def test_the_simple_split_has_the_published_sizes_and_is_drawn():
    split, other = (make_split("simple", COMMANDS, Draw(seed)) for seed in (1, 2))
    assert (len(split.train), len(split.test)) == (16_728, 4_182)
    assert sorted([*split.train, *split.test]) == list(range(20_910))
    assert split != other
    assert set(SPLITS) == {"simple", *PUBLISHED}


def test_the_steps_of_a_command_end_in_its_actions():
    for command in COMMANDS[::37]:
        steps = command.steps()
        assert steps[-1].actions == command.actions()
        assert steps[-1].part == tuple(command.words())
        assert len({step.part for step in steps}) == len(steps)


def test_the_steps_of_a_phrase_are_one_rule_each():
    steps = Command(Phrase("run", "around", "left", "twice"), "after", Phrase("turn", "", "right"))
    assert [(step.part, step.rule, len(step.actions)) for step in steps.steps()] == [
        (("turn", "right"), "right", 1),
        (("run",), "run", 1),
        (("run", "around", "left"), "around left", 8),
        (("run", "around", "left", "twice"), "twice", 16),
        (("run", "around", "left", "twice", "after", "turn", "right"), "after", 17),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "twice", "turn", "turn twice", "walk walk", "walk twice twice", "walk and run and look"],
)
def test_words_that_are_no_command_are_refused(text):
    with pytest.raises(NotACommand):
        interpret(text.split(), {})


def test_a_part_counts_as_often_as_it_stands_alone():
    """Of one command, only the parts that are in no larger one count: three of four rules."""
    parts = parts_of([Command(Phrase("walk", "", "left"))])
    assert sorted(parts.weights[0].tolist()) == [*[0] * (parts.weights.shape[1] - 3), 64, 64, 64]
    assert parts.atoms.tolist() == [[1, 1, 1, 1, 1]]


def test_divergence_is_nothing_for_equal_sets_and_all_for_disjoint_ones():
    commands = [Command(Phrase("walk", times="twice")), Command(Phrase("turn", "", "left"))]
    parts = parts_of(commands)
    assert divergences(parts, Split([0, 1], [1, 0])).compound == 0.0
    apart = divergences(parts, Split([0], [1]))
    assert apart.compound == 1.0
    assert 0 < apart.atom < 1  # both are one phrase


def test_a_split_of_maximum_divergence_has_the_atoms_and_other_compounds():
    commands = COMMANDS[:102] + COMMANDS[102::12]
    parts = parts_of(commands)
    split, found = make_mcd(parts, Draw(3), 640, 80)
    assert (len(split.train), len(split.test)) == (640, 80)
    assert not {*split.train} & {*split.test}
    assert found == divergences(parts, split)
    assert found.atom <= 0.0205
    order = Draw(3).permutation(len(commands)).tolist()
    drawn = divergences(parts, Split(order[:640], order[640:720]))
    assert found.compound > 4 * drawn.compound
    assert make_mcd(parts, Draw(3), 640, 80)[0] == split
    assert make_mcd(parts, Draw(4), 640, 80)[0] != split


def test_actions_are_called_as_published():
    assert set(ACTIONS.values()) == {
        *("I_WALK", "I_LOOK", "I_RUN", "I_JUMP", "I_TURN_LEFT", "I_TURN_RIGHT")
    }
