"""A tokenizer made from the texts of a release, for models trained from scratch.

Language `symbols`: one token per word.  English: byte-level BPE, which decodes to the exact text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

PAD, EOS, UNKNOWN = "<pad>", "<eos>", "<unk>"
FRAME = ("Question:", "Answer:", "So,", "the", "answer", "is:", ".", "?")
PIECES = 8192  # tokens of English, unless the recipe sets `vocabulary`


def make_tokenizer(
    texts: Iterable[str], language: str = "symbols", size: int = 0
) -> PreTrainedTokenizerFast:
    """Make a tokenizer that adds no special tokens to what it encodes.

    Args:
        texts: What it should be able to encode.
        language: `symbols` or `english`.
        size: Maximum number of tokens; 0 for as many as there are words (symbols) or PIECES.
    """
    from transformers import PreTrainedTokenizerFast

    if language == "symbols":
        made = word_level(texts, size or 10_000_000)
    else:
        made = byte_pairs(texts, size or PIECES)
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNKNOWN,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


def word_level(texts: Iterable[str], size: int) -> Tokenizer:
    """A tokenizer that splits at white space.

    Its vocabulary is the words of a question's frame and the most frequent words of `texts` (ties
    in order of first occurrence), `size` tokens in all.
    """
    from tokenizers import Tokenizer
    from tokenizers.decoders import WordPiece
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    counts: dict[str, int] = {}
    for text in texts:
        for word in text.split():
            counts[word] = counts.get(word, 0) + 1
    words = [PAD, EOS, UNKNOWN, *FRAME]
    frequent = [
        word for word in sorted(counts, key=lambda word: -counts[word]) if word not in FRAME
    ]
    words += frequent[: size - len(words)]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.decoder = WordPiece(prefix="\x00", cleanup=False)  # joins words with blanks
    return tokenizer


def byte_pairs(texts: Iterable[str], size: int) -> Tokenizer:
    """Train byte-level BPE of `size` tokens on `texts`."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=size,
        special_tokens=[PAD, EOS, UNKNOWN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
