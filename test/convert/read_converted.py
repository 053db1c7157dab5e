"""Reads converted files by no code of this project: safetensors with the package of that name, and PyTorch's with Python's own pickle and zip.

python read_converted.py file...

Prints a line of JSON for each: {name: [type, shape, SHA-256 of its values]}.
"""

import collections
import hashlib
import io
import json
import pickle
import sys
import zipfile

import numpy as np
from safetensors import safe_open

TYPES = {"FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": "<u2", "CharStorage": "i1"}


def of_safetensors(path):
    with safe_open(path, "np") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}
    # A matrix in bytes is each row by its scale.
    for name in [name for name in found if name.endswith(".int8")]:
        rows, scales = found.pop(name), found.pop(f"{name}_scale")
        found[name.removesuffix(".int8")] = rows.astype("<f4") * scales[:, None]
    return found


class Storage:
    def __init__(self, kind):
        self.kind = kind


class Reader(pickle.Unpickler):
    """Takes what `torch.load(weights_only=True)` takes of a state dict, and nothing else."""

    def __init__(self, archive, root):
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self.archive, self.root = archive, root

    def find_class(self, module, name):
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuilt
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch" and name in TYPES:
            return Storage(name)
        raise pickle.UnpicklingError(f"{module}.{name}")

    def persistent_load(self, told):
        word, storage, key, place, count = told
        assert (word, place) == ("storage", "cpu"), told
        values = np.frombuffer(self.archive.read(f"{self.root}/data/{key}"), TYPES[storage.kind])
        assert len(values) == count, told
        return values


def rebuilt(storage, offset, shape, strides, requires_grad, hooks):
    assert not requires_grad and len(hooks) == 0
    size = storage.itemsize
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, [size * stride for stride in strides])


def of_torch(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        root = archive.namelist()[0].split("/")[0]
        assert archive.read(f"{root}/version").strip() == b"3"
        found = Reader(archive, root).load()
    while not all(isinstance(value, np.ndarray) for value in found.values()):
        found = next(value for value in found.values() if isinstance(value, dict))
    return found


for path in sys.argv[1:]:
    tensors = of_safetensors(path) if path.endswith(".safetensors") else of_torch(path)
    print(
        json.dumps(
            {
                name: [values.dtype.str, list(values.shape), hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()]
                for name, values in tensors.items()
            }
        )
    )
