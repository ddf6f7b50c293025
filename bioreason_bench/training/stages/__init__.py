"""The kinds of stages of a recipe: SFT, rejection fine-tuning (RFT) and GRPO, on TRL's trainers.

    stage_run       one stage of one run, as a value
    callback        how TRL's trainers report to a ProgressLogger
    label_scores    an output layer that scores only the positions with a label
    trainer         what SFT and GRPO share around TRL's trainers
    sft             train_sft; and train_on, which RFT uses too
    rft             train_rft
    grpo_trainer    the subclass of TRL's GRPOTrainer
    grpo            train_grpo

Each imports only from those above it.
"""
