#!/bin/bash
# Embeds a folder on as many nodes as the array has tasks, each its own share:
#
#     id=$(sbatch --parsable slurm.sh /data/photos /data/embeddings)
#     sbatch --dependency=afterany:$id --wrap='plumage merge /data/embeddings/part-*.parquet -o /data/all.parquet'
#
# A task that is preempted or killed goes on where it stopped once it is requeued, or run again by its number: sbatch --array=3 would be a share of 1, so set SHARDS=16 then.
#SBATCH --job-name=plumage
#SBATCH --array=0-15
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --requeue
set -euo pipefail

photos=$1
output=$2
# The tasks of the array must be numbered from 0 without a gap, as above.
shards=${SHARDS:-$SLURM_ARRAY_TASK_COUNT}

mkdir -p "$output"
# The exit code is 1 where photos could not be read; the others are there, and merge says how many are not.
exec srun plumage embed "$photos" \
  --shard "$SLURM_ARRAY_TASK_ID/$shards" \
  --threads "${SLURM_CPUS_PER_TASK:-1}" \
  --output "$output/part-$SLURM_ARRAY_TASK_ID.parquet"
