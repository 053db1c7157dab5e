"""Runs OpenVINO on the model that convert_openvino.py or quantise_openvino.py wrote; `hint` is the precision between the steps."""

import numpy as np
import openvino
from serve import pixels, serve, task

core = openvino.Core()
model = core.read_model(task["model"])
model.reshape([task["batch"], 3, task["side"], task["side"]])
config = {
    "INFERENCE_PRECISION_HINT": task["hint"],
    "INFERENCE_NUM_THREADS": task["threads"],
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": 1,
}
request = core.compile_model(model, "CPU", config).create_infer_request()
x = pixels()


def run():
    request.infer([x], share_inputs=True)
    return [np.array(request.get_output_tensor(index).data, np.float32) for index in range(2)]


serve(openvino.__version__.split("-")[0], run)
