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
[ "${LORA:-0}" = 0 ] || lora="--set lora.r=64 --set lora.alpha=128"

arm() { # NAME RECIPE [--base RUN]
    name=$1
    recipe=$2
    shift 2
    # --resume is harmless in an empty folder and continues a run that was stopped
    accelerate launch --num_processes "$gpus" --num_machines 1 --mixed_precision bf16 \
        --dynamo_backend no -m bioreason_bench.commands.baseline train "qwen/$recipe" \
        --data "$data" --out "$out/$name" --resume $lora "$@"
}

for skills in comp mem_ctx; do
    first="sft_${skills}_$size"
    arm "sft_$skills" "$first"
    arm "sft_$skills+grpo" "$first+grpo" --base "$out/sft_$skills"
    arm "sft_$skills+gold" "$first+gold" --base "$out/sft_$skills"
done
bioreason-baseline report "$out" --out "$out/report"
