"""One training set with a test of each level, and the certificates of all sets.

| level | the command | what training shows |
|---|---|---|
| iid | like those of training | other commands of the kind |
| composition | has the new manner with "right" | the manner with "left", and "right" elsewhere |
| zeroshot | has the new primitive | the primitive alone, a tenth of the questions |
| depth | has more actions than the longest training command | shorter commands |

A command that is of two levels is in none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bioreason_bench.draw import Draw
from bioreason_bench.errors import Shortage
from bioreason_bench.families.scan.grammar import Command, Phrase
from bioreason_bench.families.scan.settings import LEVELS, ScanSettings
from bioreason_bench.families.scan.splits import TENTH

__all__ = [
    "SUPPORTS",
    "Certificate",
    "LevelSets",
    "Shown",
    "certify",
    "make_levels",
    "primitives",
    "shown_in",
]

SMALLEST = 100  # training commands
SUPPORTS = (  # of reinforcement learning, in the commands of training
    "atoms",  # its commands without "and" and "after"
    "nested",  # its commands
    "overlapping",  # half of them its commands
    "disjoint",  # other commands of the kind
)


@dataclass(frozen=True)
class LevelSets:
    """Positions of commands.

    Attributes:
        train: The training commands; the new primitive is there several times.
        rl: Support -> commands for reinforcement learning (see SUPPORTS).
        tests: (level, split) -> commands, with the splits validation and test.
    """

    train: Sequence[int]
    rl: Mapping[str, Sequence[int]]
    tests: Mapping[tuple[str, str], Sequence[int]]


def make_levels(settings: ScanSettings, commands: Sequence[Command], draw: Draw) -> LevelSets:
    """Divide the commands.

    Raises:
        UsageError: The settings ask for more questions than there are commands.
    """
    pools: dict[str, list[int]] = {level: [] for level in LEVELS}
    tests: dict[tuple[str, str], Sequence[int]] = {}
    shortages: list[Shortage] = []
    for index in draw.at("levels").permutation(len(commands)).tolist():
        reasons = _reasons(settings, commands[index])
        if not reasons:
            pools["iid"].append(index)
        elif len(reasons) == 1 and len(commands[index].words()) > 1:
            pools[reasons[0]].append(index)
    kept = settings.iid + -(-settings.iid // 10) + settings.rl
    reserve = kept + kept // 4  # a command that training does not fit is left out
    if reserve > len(pools["iid"]) - SMALLEST:
        remedy = f"ask for at most {(len(pools['iid']) - SMALLEST) * 4 // 5:,} with rl"
        raise Shortage("iid", "commands", kept, len(pools["iid"]), remedy)
    train = pools["iid"][reserve:][: settings.train]
    alone = commands.index(Command(Phrase(settings.new_primitive)))
    shown = shown_in(commands[index] for index in (*train, alone))
    new = [index for index in pools["iid"][:reserve] if _fits(commands[index], shown)]
    pools["iid"], new = new[: kept - settings.rl], new[kept - settings.rl :][: settings.rl]
    if len(new) < settings.rl:
        shortages.append(Shortage("rl", "commands", settings.rl, len(new), "lower it"))
    for level in LEVELS:
        found = [
            index
            for index in pools[level]
            if level == "iid" or _fits(commands[index], shown, level)
        ]
        test = settings.test(level)
        validation = -(-test // 10)
        if validation + test > len(found):
            remedy = f"ask for at most {10 * len(found) // 11:,}"
            shortages.append(Shortage(level, "commands", validation + test, len(found), remedy))
        tests[level, "validation"] = sorted(found[:validation])
        tests[level, "test"] = sorted(found[validation : validation + test])
    if shortages:
        raise shortages[0]
    half = settings.rl // 2
    rl = {
        "atoms": [index for index in train if commands[index].second is None],
        "nested": train[: settings.rl],
        "overlapping": [*train[:half], *new[: settings.rl - half]],
        "disjoint": new,
    }
    train = sorted(train)
    return LevelSets(
        [*train, *[alone] * (len(train) // TENTH)],
        {name: sorted(rl[name]) for name in SUPPORTS},
        tests,
    )


def _fits(command: Command, shown: Shown, level: str = "iid") -> bool:
    """Whether training shows all of a command but what its level is about."""
    found = certify(command, shown)
    return (
        (level == "zeroshot" or not found.unseen_primitives)
        and (level in ("zeroshot", "composition") or not found.pairs_unseen)
        and not found.hops_beyond_train
        and (level == "depth") == (found.length_beyond_train > 0)
    )


def _reasons(settings: ScanSettings, command: Command) -> list[str]:
    """The levels that keep a command out of training."""
    phrases = command.phrases()
    found = []
    if any(one.manner == settings.new_manner and one.direction == "right" for one in phrases):
        found.append("composition")
    if any(one.verb == settings.new_primitive for one in phrases):
        found.append("zeroshot")
    if len(command.actions()) > settings.longest:
        found.append("depth")
    return found


# certificates -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What the compound training questions of a set show.

    Attributes:
        commands: The training commands, isolated primitives among them.
        primitives: The primitives.
        pairs: Manners with directions, and verbs with both.
        hops: Most primitives of a question.
        length: Most actions of a question.
    """

    commands: frozenset[Command]
    primitives: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    hops: int
    length: int


@dataclass(frozen=True)
class Certificate:
    """What training has and has not shown of a question."""

    path_in_train: bool
    unseen_primitives: Sequence[str]
    pairs_unseen: int
    hops_beyond_train: int
    length_beyond_train: int


def shown_in(commands: Iterable[Command]) -> Shown:
    """What training commands show; isolated primitives show neither primitives nor pairs."""
    every = frozenset(commands)
    compound = [command for command in every if len(primitives(command)) > 1]
    return Shown(
        every,
        frozenset(name for command in compound for name in primitives(command)),
        frozenset(pair for command in compound for pair in _pairs(command)),
        max((len(primitives(command)) for command in compound), default=1),
        max((len(command.actions()) for command in every), default=0),
    )


def certify(command: Command, shown: Shown) -> Certificate:
    """The certificate of a command."""
    names = primitives(command)
    unseen = [name for name in dict.fromkeys(names) if name not in shown.primitives]
    return Certificate(
        command in shown.commands,
        unseen,
        len(_new(_pairs(command), shown.pairs)),
        max(len(names) - shown.hops, 0),
        max(len(command.actions()) - shown.length, 0),
    )


def primitives(command: Command) -> list[str]:
    """What a command applies, in its order: verbs, manners, directions, numbers and joints.

    "turn left" and "turn right" are primitives of their own: neither word acts alone.
    """
    names: list[str] = []
    for phrase in command.phrases():
        words = phrase.words()
        if phrase.verb == "turn" and not phrase.manner:
            words = [" ".join(words[:2]), *words[2:]]
        names += [command.joint, *words] if names else words
    return names


def _pairs(command: Command) -> set[tuple[str, str]]:
    pairs = set()
    for phrase in command.phrases():
        if phrase.direction:
            way = f"{phrase.manner} {phrase.direction}"
            pairs |= {(phrase.manner, phrase.direction), (phrase.verb, way)}
    return pairs


def _new(
    pairs: Collection[tuple[str, str]], known: frozenset[tuple[str, str]]
) -> list[tuple[str, str]]:
    return [pair for pair in pairs if pair not in known]
