"""The stages of a recipe: SFT, rejection fine-tuning, GRPO."""
