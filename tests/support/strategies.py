"""Hypothesis strategies: configurations of small worlds."""

from __future__ import annotations

from hypothesis import strategies as st

from bioreason_bench.config import WorldConfig, load_preset
from bioreason_bench.taxonomy import LEVELS, SKILLS


@st.composite
def small_configs(draw: st.DrawFn) -> WorldConfig:
    """A world of a hundred people with a few hundred questions, in any combination of options.

    Some are impossible: `make_dataset` then raises UsageError.
    """
    levels = draw(st.lists(st.sampled_from(LEVELS), unique=True))
    distractors = draw(st.integers(0, 3))
    settings = {
        "seed": draw(st.integers(0, 2**31)),
        "language": draw(st.sampled_from(["english", "symbols"])),
        "known": 2 * draw(st.integers(50, 70)),  # even: symmetric relations pair people up
        "novel": 2 * draw(st.integers(25, 40)),
        "in_context": draw(st.sampled_from([0.3, 0.5, 1.0])),
        "paraphrases": draw(st.integers(1, 3)),
        "distractors": distractors,
        "context_facts": draw(st.sampled_from([0, 1, 2, 4, 6])),
        "hops": draw(st.sampled_from(["{2 = 0.6, 3 = 0.4}", "{2 = 0.5, 3 = 0.3, 4 = 0.2}"])),
        "depth_hops": draw(st.sampled_from(["{5 = 1.0}", "{6 = 0.5, 8 = 0.5}"])),
        "heldout_starts": draw(st.sampled_from([0.0, 0.2])),
    }
    flags = {"leak_guards": draw(st.booleans())}
    for skill in SKILLS:
        settings[f"{skill}.paths"] = draw(st.integers(30, 60))
        settings[f"{skill}.train"] = draw(st.integers(60, 150))
        for level in LEVELS:
            settings[f"{skill}.{level}"] = draw(st.integers(0, 8))
    settings["comp.rl"] = draw(st.integers(0, 40))
    settings["comp.counterfactual"] = draw(st.integers(0, 4)) if distractors else 0
    settings["comp.conflict"] = draw(st.integers(0, 3))
    settings["mem.direction"] = draw(st.integers(0, 10))
    texts = {name: str(value) for name, value in settings.items()}
    texts |= {name: str(value).lower() for name, value in flags.items()}
    texts["levels"] = str(levels).replace("'", '"')
    return load_preset("tiny").override(texts)
