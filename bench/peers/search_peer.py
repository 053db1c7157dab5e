"""Looks through rows with faiss and usearch, and prints a line of JSON for each way: its name, the seconds of each round, how many cores other work took, and the ids
of all queries where recall is to be judged.

    python search_peer.py rows.npy queries.npy nearest rounds threads graph_rows
"""

import json
import os
import sys
import time

import numpy as np


def busy():
    with open("/proc/stat") as stat:
        words = [int(word) for word in stat.readline().split()[1:]]
    return (words[0] + words[1] + words[2] + words[5] + words[6] + words[7]) / os.sysconf("SC_CLK_TCK")


def timed(action, rounds):
    seconds, result = [], None
    begun, busy_before, own_before = time.monotonic(), busy(), time.process_time()
    for _ in range(rounds):
        start = time.monotonic()
        result = action()
        seconds.append(time.monotonic() - start)
    took = time.monotonic() - begun
    others = (busy() - busy_before - (time.process_time() - own_before)) / took
    return seconds, max(0, others), result


def tell(name, measured, ids=None, note=""):
    seconds, others, _ = measured
    line = {"name": name, "seconds": seconds, "others": others, "note": note}
    if ids is not None:
        line["ids"] = np.asarray(ids).astype(int).tolist()
    print(json.dumps(line), flush=True)


def faiss_ways(rows, queries, nearest, rounds, threads, graph_rows):
    import faiss

    name = f"faiss {faiss.__version__}"
    faiss.omp_set_num_threads(threads)
    width = rows.shape[1]
    wide = np.ascontiguousarray(rows, dtype=np.float32)
    flat = faiss.IndexFlatIP(width)
    flat.add(wide)
    tell(f"{name} flat, one query", timed(lambda: flat.search(queries[:1], nearest), rounds))
    measured = timed(lambda: flat.search(queries, nearest), rounds)
    tell(f"{name} flat, {len(queries)} queries", measured, measured[2][1])
    some = wide[:graph_rows]
    graph = faiss.IndexFlatIP(width)
    graph.add(some)
    tell(f"{name} flat, graph of {graph_rows} rows, k = 15", timed(lambda: graph.search(some, 16), 1))
    del flat, graph
    partitions = int(round(len(wide) ** 0.5))
    ivf = faiss.index_factory(width, f"IVF{partitions},Flat", faiss.METRIC_INNER_PRODUCT)

    def build():
        ivf.train(wide[np.random.default_rng(1).permutation(len(wide))[: 40 * partitions]])
        ivf.add(wide)

    tell(f"{name} IVF{partitions} flat, made", timed(build, 1))
    for probes in (8, 16, 32, 64):
        ivf.nprobe = probes
        ids = ivf.search(queries, nearest)[1]
        one = timed(lambda: [ivf.search(queries[q : q + 1], nearest) for q in range(100)], 1)
        tell(f"{name} IVF{partitions} flat, one query, {probes} partitions", ([s / 100 for s in one[0]], one[1], None), ids)


def usearch_ways(rows, queries, nearest, rounds, threads, graph_rows):
    import usearch
    from usearch.index import Index, MetricKind, search

    name = f"usearch {usearch.__version__}"
    narrow = queries.astype(np.float16)

    def exact(asked):
        return search(rows, asked, nearest, MetricKind.IP, exact=True, threads=threads)

    tell(f"{name} exact, one query", timed(lambda: exact(narrow[:1]), rounds))
    measured = timed(lambda: exact(narrow), 1)
    tell(f"{name} exact, {len(queries)} queries", measured, measured[2].keys)
    few = rows[:graph_rows]
    index = Index(ndim=rows.shape[1], metric=MetricKind.IP, dtype="f16")
    tell(f"{name} HNSW of {graph_rows} rows, made", timed(lambda: index.add(np.arange(len(few)), few, threads=threads), 1))
    tell(
        f"{name} HNSW, graph of {graph_rows} rows, k = 15",
        timed(lambda: index.search(few, 16, threads=threads), 1),
    )


def main():
    rows_path, queries_path, *numbers = sys.argv[1:]
    nearest, rounds, threads, graph_rows = map(int, numbers)
    rows = np.load(rows_path, mmap_mode="r")
    queries = np.load(queries_path)
    for ways in (faiss_ways, usearch_ways):
        try:
            ways(rows, queries, nearest, rounds, threads, graph_rows)
        except ImportError as error:
            print(f"not measured: {error}", file=sys.stderr)


main()
