"""Writes fiftyone/samples.json as FiftyOne's exporter of whole datasets does, by the library's own functions, without its database.

    python test/collection/make-fiftyone.py   # fiftyone 1.22.1
"""

import json
import pathlib

import fiftyone.core.utils as fou
import numpy as np
from bson import Binary, ObjectId, json_util

samples = []
for at, name in enumerate(["hat-1", "shoes-2", "t-shirt-3"]):
    samples.append(
        {
            "_id": ObjectId(f"{at:024x}"),
            "filepath": f"data/{name}.jpg",
            "tags": ["first", "<b>"] if at == 0 else [],
            "metadata": {"_cls": "ImageMetadata", "size_bytes": 100 + at, "width": 40 + at, "height": 30},
            "_media_type": "image",
            "created_at": json_util.loads('{"$date": "2026-11-29T10:00:00.%03dZ"}' % at),
            "ground_truth": {"_id": ObjectId(), "_cls": "Classification", "tags": [], "label": name.rsplit("-", 1)[0]},
            "embedding": Binary(fou.serialize_numpy_array(np.arange(4, dtype=np.float32) + at)),
            "uniqueness": 0.5 + at,
            "boxes": {"_cls": "Detections", "detections": []},
        }
    )
text = json_util.dumps({"samples": samples})
folder = pathlib.Path(__file__).parent / "fiftyone"
folder.mkdir(exist_ok=True)
(folder / "samples.json").write_text(json.dumps(json.loads(text), indent=1) + "\n")
