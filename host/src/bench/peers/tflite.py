"""TensorFlow Lite's part of `trident bench --peers`: models of the workloads, and the rate that XNNPACK runs them at.

    tflite.py models FOLDER          writes W1.tflite … W4.tflite, and W1 and W2 without their sigmoid for microflow
    tflite.py rate MODEL SECONDS     prints inferences per second of processor time, on one thread

Weights and inputs are random: a rate does not depend on them.
"""

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy
import tensorflow
from tensorflow.keras import layers

CALIBRATION_ROWS = 64
# A bias of zeros would be left out, and not every engine can do without.
BIAS = {"bias_initializer": "random_normal"}


def perceptron(inputs, sigmoid):
    last = "sigmoid" if sigmoid else None
    return [
        layers.Input((inputs,), batch_size=1),
        layers.Dense(64, activation="relu", **BIAS),
        layers.Dense(32, activation="relu", **BIAS),
        layers.Dense(1, activation=last, **BIAS),
    ]


def w3():
    return [
        layers.Input((32, 32, 3), batch_size=1),
        layers.Conv2D(32, 3, activation="relu", **BIAS),
        layers.MaxPool2D(),
        layers.Conv2D(64, 3, activation="relu", **BIAS),
        layers.MaxPool2D(),
        layers.Flatten(),
        layers.Dense(3072, activation="sigmoid", **BIAS),
    ]


def w4():
    def depthwise(strides=1):
        return layers.DepthwiseConv2D(3, strides=strides, padding="same", activation="relu", **BIAS)

    return [
        layers.Input((32, 32, 3), batch_size=1),
        layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", **BIAS),
        depthwise(strides=2),
        layers.Conv2D(16, 1, activation="relu", **BIAS),
        depthwise(),
        layers.Conv2D(32, 1, activation="relu", **BIAS),
        layers.UpSampling2D(2),
        depthwise(),
        layers.Conv2D(16, 1, activation="relu", **BIAS),
        layers.UpSampling2D(2),
        layers.Conv2D(3, 3, padding="same", activation="sigmoid", **BIAS),
    ]


def convert(layer_list, per_channel_dense):
    tensorflow.keras.utils.set_random_seed(1)
    model = tensorflow.keras.Sequential(layer_list)
    rows = numpy.random.default_rng(1)
    converter = tensorflow.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [rows.uniform(-1, 1, model.input_shape).astype(numpy.float32)] for _ in range(CALIBRATION_ROWS)
    )
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tensorflow.int8
    converter._experimental_disable_per_channel_quantization_for_dense_layers = not per_channel_dense
    return converter.convert()


def models(folder):
    for name, layer_list, per_channel_dense in [
        ("W1", perceptron(10, sigmoid=True), True),
        ("W2", perceptron(5, sigmoid=True), True),
        ("W3", w3(), True),
        ("W4", w4(), True),
        ("W1-without-sigmoid", perceptron(10, sigmoid=False), False),
        ("W2-without-sigmoid", perceptron(5, sigmoid=False), False),
    ]:
        with open(os.path.join(folder, name + ".tflite"), "wb") as file:
            file.write(convert(layer_list, per_channel_dense))


def rate(path, seconds):
    interpreter = tensorflow.lite.Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    if not any(operator["op_name"] == "DELEGATE" for operator in interpreter._get_ops_details()):
        sys.exit("XNNPACK has taken none of the model's operators")
    slot = interpreter.get_input_details()[0]
    codes = numpy.random.default_rng(1).integers(-128, 128, slot["shape"]).astype(numpy.int8)
    interpreter.set_tensor(slot["index"], codes)
    for _ in range(10):
        interpreter.invoke()
    runs, start, before = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        for _ in range(10):
            interpreter.invoke()
        runs += 10
    print(runs / (time.process_time() - before))


if __name__ == "__main__":
    if sys.argv[1:2] == ["models"] and len(sys.argv) == 3:
        models(sys.argv[2])
    elif sys.argv[1:2] == ["rate"] and len(sys.argv) == 4:
        rate(sys.argv[2], float(sys.argv[3]))
    else:
        sys.exit(__doc__)
