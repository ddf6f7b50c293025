"""The kinds of stages of a recipe: SFT, rejection fine-tuning (RFT) and GRPO, on TRL's trainers.

stage_run      one stage of one run, as a value
trainer        what SFT and GRPO share around TRL's trainers
sft  rft  grpo one training function each
grpo_trainer   the subclass of TRL's GRPOTrainer; importing it imports TRL
"""
