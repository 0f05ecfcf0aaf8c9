"""Keras' part of `trident bench --training`: CPU-seconds of an epoch of the original demo, which the preset `seed` is.

    training.py EPOCHS       prints versions and the CPU-seconds (user and system, all threads) of one epoch, their mean

The first epoch, in which TensorFlow traces and compiles, is not counted.
"""

import json
import os
import resource
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy
import tensorflow
from keras import layers

ROWS = 1000
BATCH = 64


def hidden(inputs, units):
    for n in units:
        inputs = layers.Dense(n, activation="relu")(inputs)
    return inputs


def demo():
    classification = keras.Input((10,))
    picture = keras.Input((32, 32, 3))
    regression = keras.Input((5,))
    maps = picture
    for filters in (32, 64):
        maps = layers.Conv2D(filters, 3, activation="relu")(maps)
        maps = layers.MaxPooling2D()(maps)
    pixels = layers.Dense(3072, activation="sigmoid")(layers.Flatten()(maps))
    model = keras.Model(
        [classification, picture, regression],
        [
            layers.Dense(1, activation="sigmoid")(hidden(classification, (64, 32))),
            layers.Reshape((32, 32, 3))(pixels),
            layers.Dense(1)(hidden(regression, (64, 32))),
        ],
    )
    # No metrics: they are not what is compared, and cost Keras time.
    model.compile(optimizer="adam", loss=["binary_crossentropy", "binary_crossentropy", "mse"])
    return model


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(epochs):
    keras.utils.set_random_seed(42)
    rows = numpy.random.default_rng(42)
    inputs = [rows.random((ROWS, *shape), dtype=numpy.float32) for shape in [(10,), (32, 32, 3), (5,)]]
    labels = rows.integers(0, 2, (ROWS, 1)).astype(numpy.float32)
    model = demo()

    def fit(epochs):
        start = cpu_seconds()
        model.fit(inputs, [labels, *inputs[1:]], batch_size=BATCH, epochs=epochs, verbose=0)
        return cpu_seconds() - start

    fit(1)
    print(
        json.dumps(
            {
                "keras": keras.__version__,
                "tensorflow": tensorflow.__version__,
                "parameters": model.count_params(),
                "epoch": fit(epochs) / epochs,
            }
        )
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(int(sys.argv[1]))
