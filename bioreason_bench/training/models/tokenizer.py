"""A tokenizer made from a release, for models trained from scratch; every other model brings its own.

Language `symbols`: one token a word.  English: byte-level BPE, so that any text comes back as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, EOS, UNKNOWN = "<pad>", "<eos>", "<unk>"
FRAME = ("Question:", "Answer:", "So,", "the", "answer", "is:", ".", "?")
PIECES = 8192  # of English, unless the recipe's `vocabulary` says else


def make_tokenizer(
    texts: Iterable[str], language: str = "symbols", most: int = 0
) -> PreTrainedTokenizerFast:
    """A tokenizer of at most `most` tokens (0: as many as there are words, or PIECES); it adds nothing to what it encodes."""
    from transformers import PreTrainedTokenizerFast

    made = (
        word_level(texts, most or 10_000_000)
        if language == "symbols"
        else byte_pairs(texts, most or PIECES)
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNKNOWN,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


def word_level(texts: Iterable[str], most: int) -> Any:
    """Splits at white space; the words of `texts` (the frequent ones, ties in the order met) and of a question's frame."""
    from tokenizers import Tokenizer
    from tokenizers.decoders import WordPiece
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    counts: dict[str, int] = {}
    for text in texts:
        for word in text.split():
            counts[word] = counts.get(word, 0) + 1
    words = [PAD, EOS, UNKNOWN, *FRAME]
    words += [word for word in sorted(counts, key=lambda word: -counts[word]) if word not in FRAME][
        : most - len(words)
    ]
    tokenizer = Tokenizer(
        WordLevel({word: number for number, word in enumerate(words)}, unk_token=UNKNOWN)
    )
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.decoder = WordPiece(prefix="\x00", cleanup=False)  # joins words with blanks
    return tokenizer


def byte_pairs(texts: Iterable[str], most: int) -> Any:
    """Byte-level BPE trained on `texts`."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts,
        BpeTrainer(
            vocab_size=most,
            special_tokens=[PAD, EOS, UNKNOWN],
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    return tokenizer
