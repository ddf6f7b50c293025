#!/bin/sh
# The main arms on preset paper with Qwen2.5 (0_5b, 1_5b or 3b), on one GPU or on several.
#
#     sh benchmarks/gpu/qwen.sh 1_5b 8 [OUT]     (size, GPUs; default folder: runs/qwen-SIZE)
#
# The same call continues where it stopped.  docs/real-models.md says how many hours to expect.
# LORA=1 trains adapters in place of all weights.
set -eu

size=${1:?size: 0_5b, 1_5b or 3b}
gpus=${2:?number of GPUs}
out=${3:-runs/qwen-$size}
data=releases/paper-42

[ -f "$data/manifest.json" ] || bioreason generate --preset paper --seed 42 --out "$data"

lora=""
[ "${LORA:-0}" = 0 ] || lora="--set lora.r=64 --set lora.alpha=128 --set sft.learning_rate=3e-4"

arm() { # NAME [--base RUN]
    name=$1
    shift
    # --resume is harmless in an empty folder and continues a run that was stopped
    accelerate launch --num_processes "$gpus" --num_machines 1 --mixed_precision bf16 \
        --dynamo_backend no -m bioreason_bench.commands.baseline train "qwen/${name}_$size" \
        --data "$data" --out "$out/$name" --resume $lora "$@"
}

arm sft_comp
arm sft_mem_ctx
arm sft_comp_grpo --base "$out/sft_comp"
arm sft_mem_ctx_grpo --base "$out/sft_mem_ctx"
bioreason-baseline report "$out" --out "$out/report"
