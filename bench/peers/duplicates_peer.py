"""Prints which photos of a folder another library calls duplicates, as sets of names, and how many photos have which flaw: duplicates_peer.py <library> <folder>."""

import json
import os
import sys
import tempfile


def cleanvision(folder):
    import cleanvision as library
    from cleanvision import Imagelab

    lab = Imagelab(data_path=folder, verbose=False)
    lab.find_issues(n_jobs=1, verbose=False)
    sets = [
        [os.path.basename(path) for path in group]
        for kind in ("exact_duplicates", "near_duplicates")
        for group in lab.info[kind]["sets"]
    ]
    flaws = {
        column[3:-6]: int(lab.issues[column].sum())
        for column in lab.issues.columns
        if column.endswith("_issue") and "duplicates" not in column
    }
    return library.__version__ if hasattr(library, "__version__") else "", sets, flaws


def fastdup(folder):
    import fastdup as library

    with tempfile.TemporaryDirectory() as work:
        found = library.create(work_dir=work, input_dir=folder)
        found.run(overwrite=True, print_summary=False, verbose=False, num_threads=2)
        components, _ = found.connected_components()
        names = {}
        for _, row in components.iterrows():
            names.setdefault(row["component_id"], []).append(os.path.basename(row["filename"]))
    return library.__version__, [sorted(group) for group in names.values() if len(group) > 1], {}


if __name__ == "__main__":
    version, sets, flaws = {"cleanvision": cleanvision, "fastdup": fastdup}[sys.argv[1]](sys.argv[2])
    print("\n" + json.dumps({"version": version, "sets": sets, "flaws": flaws}))
