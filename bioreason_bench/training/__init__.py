"""Reference training: recipes for SFT, rejection fine-tuning and GRPO, what they reach, and the report.

    recipe → data → model → sft · rft · grpo → evaluate · passk → report          (each imports only those before it)

`import bioreason_bench.training.models.nano` registers the nano model with transformers' Auto classes; rewards need no torch.
"""
