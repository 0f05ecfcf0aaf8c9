"""A Gaussian process as teacher of a regression head: points beside the training rows, labelled.

    pip install scikit-learn pandas
    python gaussian_process_teacher.py DATA.csv RUN/split.csv TARGET POINTS.csv --log COLUMN ...

RUN is any run on DATA with the [split] that the pupil will have (`trident train -o RUN --epochs 1` is enough). Only its training
rows are learnt from. Then: trident train --teacher POINTS.csv
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("data")
parser.add_argument("split")
parser.add_argument("target")
parser.add_argument("points")
parser.add_argument("--log", nargs="*", default=[], help="columns of which the logarithm is taken")
parser.add_argument("--count", type=int, default=30_000)
parser.add_argument("--seed", type=int, default=1)
arguments = parser.parse_args()

data, split = pd.read_csv(arguments.data), pd.read_csv(arguments.split)
rows = split[(split["head"] == "regression") & (split["part"] == "train")]["row"]
held_out = data.drop(index=rows)
data = data.loc[rows]
readings = data.drop(columns=arguments.target)


def axes(table):
    table = table.astype(float).copy()
    table[arguments.log] = np.log(table[arguments.log])
    return table.to_numpy()


mean, deviation = axes(readings).mean(0), axes(readings).std(0)
target = data[arguments.target]
width = readings.shape[1]
kernel = (
    ConstantKernel(0.2) * Matern(np.ones(width), nu=1.5, length_scale_bounds=(1e-2, 1e3))
    + ConstantKernel(2.0) * RBF(np.full(width, 2.0), length_scale_bounds=(1e-2, 1e3))
    + WhiteKernel(1e-3)
)
process = GaussianProcessRegressor(kernel, random_state=arguments.seed)
process.fit((axes(readings) - mean) / deviation, (target - target.mean()) / target.std())
print(process.kernel_)

# Each reading is that of one of two training rows. What is by chance a held-out row is left out: `trident` would refuse it.
draw = np.random.default_rng(arguments.seed)
one, other = (readings.iloc[draw.integers(0, len(readings), arguments.count)].to_numpy() for _ in range(2))
points = pd.DataFrame(np.where(draw.random(one.shape) < 0.5, one, other), columns=readings.columns).drop_duplicates()
known = pd.MultiIndex.from_frame(held_out[readings.columns].astype(float))
points = points[~pd.MultiIndex.from_frame(points.astype(float)).isin(known)]
labels = [process.predict((axes(part) - mean) / deviation) for part in (points.iloc[start : start + 2000] for start in range(0, len(points), 2000))]
points[arguments.target] = np.concatenate(labels) * target.std() + target.mean()
points.to_csv(arguments.points, index=False)
print(f"{len(points)} points")
