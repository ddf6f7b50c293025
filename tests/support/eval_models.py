"""A model for the harness that answers from the world, always right or as often as one wants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from lm_eval.api.model import LM

from bioreason_bench.draw import Draw
from bioreason_bench.language import language_of
from bioreason_bench.language.reader import Reader
from bioreason_bench.lengths import tokens_in
from bioreason_bench.questions.prompts import FACTS, UNANSWERABLE, UNKNOWN, instruction
from bioreason_bench.release.read import Release
from bioreason_bench.world.facts import make_world
from bioreason_bench.world.relations import CONTEXTUAL

END_OF_INSTRUCTION = instruction("memory")[-40:]  # of every message to a chat model


class Oracle(LM):
    """Reads the question, then each hop: contextual ones from the context, parametric from memory.

    Its memory holds the facts of the release and their mirrors.
    """

    def __init__(self, folder: Path, slips: float = 0.0) -> None:
        """Make the model of a release; `slips` is the chance that a hop gets a random object."""
        super().__init__()
        release = Release(folder)
        self.world = make_world(release.config)
        self.language = language_of(self.world)
        self.reader = Reader(self.world.table, release.config.language)
        self.number = {name: person for person, name in enumerate(self.world.names)}
        facts = release.table("facts").to_pylist()
        inverse = {row.name: row.inverse for row in self.world.table.relations if row.inverse}
        mirrored = {
            (fact["object"], inverse[fact["relation"]]): fact["subject"]
            for fact in facts
            if fact["relation"] in inverse
        }
        self.facts = mirrored | {
            (fact["subject"], fact["relation"]): fact["object"] for fact in facts
        }
        self.slips, self.asked, self.prompts = slips, 0, []

    def generate_until(self, requests, disable_tqdm: bool = False) -> list[str]:
        return [self.answer(request.args[0]) for request in requests]

    def answer(self, prompt: str) -> str:
        self.prompts.append(prompt)
        self.asked += 1
        before, _, after = prompt.rpartition("Question: ")
        question, _, ending = after.partition("\n")
        context = before.rstrip("\n").rpartition("\n\n")[2]
        if context.endswith(END_OF_INSTRUCTION):
            context = ""
        read = {
            fact[:2]: fact[2]
            for line in self.lines(context)
            for fact in self.reader.biography(line)
            if fact
        }
        told_to_read = FACTS[UNANSWERABLE] in before
        table = self.world.table
        entity, path = self.reader.question(question)
        sentences = []
        for hop, name in enumerate(path):
            relation = table.number(name)
            row = table[relation]
            from_text = (row.group == CONTEXTUAL and context) or told_to_read
            facts = read if from_text else self.facts
            if (entity, name) not in facts:  # left out, or a slip led to somebody without it
                entity = UNKNOWN if told_to_read else entity
                break
            object_ = facts[entity, name]
            luck = Draw(0).at("slip", self.asked, hop).uniform(2)
            if luck[0] < self.slips:
                texts = self.world.texts[row.object]
                object_ = texts[int(luck[1] * len(texts))]
            sentences += self.language.statements(
                relation, np.array([self.number[entity]]), [object_], np.array([0])
            )
            entity = object_
        if "the answer is:" in ending:
            return f" {entity}"
        return f" {' '.join(sentences)} So, the answer is: {entity}"

    def lines(self, context: str) -> list[str]:
        """The lines of the context that the model takes notice of: all."""
        return context.split("\n")

    def apply_chat_template(self, chat_history, add_generation_prompt: bool = True) -> str:
        turns = "".join(f"<|{turn['role']}|>\n{turn['content']}\n" for turn in chat_history)
        return turns + "<|assistant|>\n" if add_generation_prompt else turns.removesuffix("\n")

    @property
    def tokenizer_name(self) -> str:
        return "oracle"

    def chat_template(self, chat_template=False) -> str:
        return "<|role|>"

    def loglikelihood(self, requests, disable_tqdm: bool = False):
        raise NotImplementedError

    def loglikelihood_rolling(self, requests, disable_tqdm: bool = False):
        raise NotImplementedError


class Skimmer(Oracle):
    """Overlooks a line with a chance that grows from 0 at the beginning of a context to its end."""

    def __init__(self, folder: Path, tokens: int) -> None:
        """Make the model; `tokens` is the length from which on the last line is never read."""
        super().__init__(folder)
        self.tokens = tokens

    def lines(self, context: str) -> list[str]:
        lines = context.split("\n")
        luck = Draw(0).at("overlooked", self.asked).uniform(len(lines))
        share = min(1.0, tokens_in(context) / self.tokens)
        return [
            line for number, line in enumerate(lines) if luck[number] >= share * number / len(lines)
        ]
