"""Reference training: recipes for SFT, rejection fine-tuning and GRPO, and what they reach.

    recipe_checks  what a recipe may not hold
    recipe         what to train: a model and a list of stages, from YAML (recipes/)
    strangers      people of another world, on whom a base model learns the language
    data           what a stage trains on: a release as sources, texts as token ids, the batches
    models/        load or create a model and its tokenizer; sample completions from it
    packing        texts into the tensors of a batch
    progress       bar and learning curve of a stage
    speed          how long a stage will take
    measure        score a model on the test sets of a release
    checkpoints    which checkpoints are whole
    interrupt      Ctrl-C and SIGTERM
    stages/        one function for each of sft, rft and grpo, from a StageRun and its StageData
    run_folder     the files of a run: open it, resume it, take its first stages from another run
    dry_run/       try one step of every stage before the first one is trained
    run            all stages of a recipe, one after the other

A module imports only from those above it.  Only models/nano, models/sample, stages/optimizer,
stages/callback and stages/grpo_trainer import torch or TRL at the top; the others import them late.
"""
