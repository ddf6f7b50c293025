"""Texts in one piece of memory, and their numbers."""

from __future__ import annotations

import pickle
from zlib import crc32

import pytest

from bioreason_bench.texts import CompactTexts, NumberedTexts

TEXTS = ["Ann Lee", "Bárbara Jerono", "", "plumless", "buckeroo", "Lima"]


def test_compact_texts_are_a_sequence() -> None:
    texts = CompactTexts([TEXTS[:2], [], TEXTS[2:]])
    assert list(texts) == TEXTS
    assert texts[-1] == "Lima"
    assert texts[1:4] == TEXTS[1:4]


@pytest.mark.parametrize("count", range(len(TEXTS) + 1))
def test_every_text_has_its_number_and_no_other_has_one(count: int) -> None:
    texts = NumberedTexts([TEXTS[:count]])
    expected = [*range(count), *[-2] * (len(TEXTS) - count)]
    assert [texts.number(text, -2) for text in TEXTS] == expected


def test_texts_of_one_hash_have_different_numbers() -> None:
    assert crc32(b"plumless") == crc32(b"buckeroo")
    texts = NumberedTexts([TEXTS])
    assert texts[texts.number("plumless")] == "plumless"
    assert texts[texts.number("buckeroo")] == "buckeroo"


def test_numbers_of_many_texts_survive_the_way_to_another_process() -> None:
    many = [f"p{number}" for number in range(5_000)]
    texts = pickle.loads(pickle.dumps(NumberedTexts([many[:7], many[7:]])))
    assert [texts.number(text) for text in many] == list(range(5_000))
    assert texts.number("p5000") == -1
