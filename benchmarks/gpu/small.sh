#!/bin/sh
# The main arms on preset small with a Llama from scratch, at 30M and at 100M parameters, on one GPU.
#
#     sh benchmarks/gpu/small.sh [OUT]      (default: runs/small-30m and runs/small-100m)
#
# The same call continues where it stopped.  docs/real-models.md says how many hours to expect.
# First every stage is tried for one step: not enough memory is known after a minute; then add
# ACCUMULATE=4 in front, which splits a step of all stages but gold (8 parts) into more parts and
# changes nothing else.  Only the first GPU is used.
set -eu
export CUDA_VISIBLE_DEVICES="${CUDA_VISIBLE_DEVICES:-0}"

out=${1:-runs/small}
data=releases/small-42
parts=""
for stage in 1 2 grpo; do
    [ -z "${ACCUMULATE:-}" ] || parts="$parts --set $stage.accumulate=$ACCUMULATE"
done

[ -f "$data/manifest.json" ] || bioreason generate --preset small --seed 42 --out "$data"

# One arm at a time: a GPU is faster with one large process than with several small ones.
arms() {
    bioreason-baseline reproduce --preset small --data "$data" --workers 1 --out "$1" \
        --arm base --arm sft_comp --arm sft_comp+grpo --arm sft_mem_ctx --arm sft_mem_ctx+grpo --arm sft_mem_ctx+gold \
        --set bf16=true --set evaluate.batch=512 $parts $2
}

arms "$out-30m" ""
arms "$out-100m" "--set model.from_scratch.hidden_size=768 \
    --set model.from_scratch.num_hidden_layers=12 \
    --set model.from_scratch.num_attention_heads=12 \
    --set model.from_scratch.num_key_value_heads=12 \
    --set model.from_scratch.intermediate_size=2304"
