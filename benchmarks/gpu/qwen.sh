#!/bin/sh
# The main arms on preset paper with Qwen2.5 (0_5b, 1_5b or 3b), on one GPU or on several.
#
#     sh benchmarks/gpu/qwen.sh 1_5b 8 [OUT]     (size, GPUs; default folder: runs/qwen-SIZE)
#
# The same call continues where it stopped.  docs/real-models.md says how many hours to expect.
# LORA=1 trains adapters in place of all weights, at higher rates.  SET="--set 1.accumulate=16" adds
# settings to all six arms, and NEXT="--set 2.accumulate=16" to those of two stages.
set -eu

size=${1:?size: 0_5b, 1_5b or 3b}
gpus=${2:?number of GPUs}
out=${3:-runs/qwen-$size}
data=releases/paper-42

[ -f "$data/manifest.json" ] || bioreason generate --preset paper --seed 42 --out "$data"

all=${SET:-}
next=${NEXT:-}
if [ "${LORA:-0}" != 0 ]; then
    all="--set lora.r=64 --set lora.alpha=128 --set 1.learning_rate=1e-3 $all"
    next="--set 2.learning_rate=1e-4 $next"
fi
[ "$gpus" != 1 ] || export CUDA_VISIBLE_DEVICES="${CUDA_VISIBLE_DEVICES:-0}"
export TORCH_ELASTIC_SHUTDOWN_TIMEOUT="${TORCH_ELASTIC_SHUTDOWN_TIMEOUT:-600}" # to save a checkpoint

arm() { # NAME RECIPE [--base RUN ...]
    name=$1
    recipe=$2
    shift 2
    # --resume is harmless in an empty folder and continues a run that was stopped
    accelerate launch --num_processes "$gpus" --num_machines 1 --mixed_precision bf16 \
        --dynamo_backend no -m bioreason_bench.commands.baseline train "qwen/$recipe" \
        --data "$data" --out "$out/$name" --resume $all "$@"
}

for skills in comp mem_ctx; do
    first="sft_${skills}_$size"
    arm "sft_$skills" "$first"
    arm "sft_$skills+grpo" "$first+grpo" --base "$out/sft_$skills" $next
    arm "sft_$skills+gold" "$first+gold" --base "$out/sft_$skills" $next
done
bioreason-baseline report "$out" --out "$out/report"
