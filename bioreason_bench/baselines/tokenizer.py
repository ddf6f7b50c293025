"""A word-level tokenizer made from a release: one token for each word of language `symbols`.

Only for models trained from scratch; every other model brings its own tokenizer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, EOS, UNKNOWN = "<pad>", "<eos>", "<unk>"
FRAME = ("Question:", "Answer:", "So,", "the", "answer", "is:", ".", "?")


def make_tokenizer(texts: Iterable[str], most: int = 50_000) -> PreTrainedTokenizerFast:
    """A tokenizer whose words are those of `texts` (the `most` frequent, ties in the order met) and the frame of a question.

    Encoding splits at white space and adds nothing; decoding joins with blanks."""
    from tokenizers import Tokenizer
    from tokenizers.decoders import WordPiece
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import PreTrainedTokenizerFast

    counts: dict[str, int] = {}
    for text in texts:
        for word in text.split():
            counts[word] = counts.get(word, 0) + 1
    words = [PAD, EOS, UNKNOWN, *FRAME]
    words += [word for word in sorted(counts, key=lambda word: -counts[word]) if word not in FRAME][: most - len(words)]
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.decoder = WordPiece(prefix="\x00", cleanup=False)  # joins words with blanks
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNKNOWN,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )
