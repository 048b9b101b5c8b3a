"""Writes convolutions as Keras computes them: a dilated one, one in groups, a depthwise one.

KERAS_BACKEND=numpy python make_convolutions.py

Images are [1,3,5,in], kernels have Keras's own layout, and padding is "same". Taps of kernels that see later pixels are 0
for Keras and other numbers in the file, which masked convolutions have to hide.
"""

import json

import keras
import numpy as np
from keras.layers import Conv2D, DepthwiseConv2D

random = np.random.default_rng(1)
numbers = lambda shape: random.normal(size=shape).round(2).astype("float32")

cases = []
for layer, features_in, groups in [
    (Conv2D(3, 3, padding="same", dilation_rate=(1, 2)), 2, 1),
    (Conv2D(6, 3, padding="same", groups=2), 4, 2),
    (DepthwiseConv2D(3, padding="same", depth_multiplier=2), 2, 2),
]:
    x = numbers((1, 3, 5, features_in))
    layer.build(x.shape)
    kernel, bias = (numbers(weight.shape) for weight in layer.weights)
    causal = kernel.copy()
    causal[1, 2:] = causal[2:] = 0
    layer.set_weights([causal, bias])
    case = {"layer": type(layer).__name__, "groups": groups, "dilationRate": layer.dilation_rate, "kernelShape": kernel.shape}
    for name, array in {"x": x, "kernel": kernel, "bias": bias, "y": layer(x)}.items():
        case[name] = [round(float(number), 5) for number in np.ravel(array)]
    cases.append(case)

with open("convolutions.json", "w") as file:
    json.dump({"keras": keras.__version__, "cases": cases}, file)
