"""Embeds a table of photos with Spark: each row is piped through `plumage embed` and comes back with its other columns.

    spark-submit spark_embed.py photos.json embeddings.json

The table has a column `path` or `url`, or `image` with the bytes in base64.
"""

import sys

from pyspark.sql import SparkSession

# Rows that could not be embedded come back with `error`, and the exit code is then 1, which is no reason to run the partition again.
COMMAND = "sh -c 'plumage embed --input-format jsonl || test $? -eq 1'"


def main(source: str, target: str) -> None:
    spark = SparkSession.builder.appName("plumage").getOrCreate()
    photos = spark.read.json(source)
    answers = photos.toJSON().pipe(COMMAND, checkCode=True)
    answers.saveAsTextFile(target)
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
