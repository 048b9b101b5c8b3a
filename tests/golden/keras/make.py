"""Writes what Keras saves of a small network whose layers are called as those of pixelCNN.

KERAS_BACKEND=numpy python make.py keras-3.15, with that version of Keras.

Number j of weight k, in the order below, is ((31 k + 7 j) mod 64 - 32) / 64.
"""

import sys

import keras
import numpy as np


class Conv(keras.layers.Layer):
    def __init__(self, filters, size, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.size = filters, size

    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(self.size, self.size, shape[-1], self.filters))
        self.bias = self.add_weight(name="bias", shape=(self.filters,))

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.filters)

    def call(self, x):  # weights are all that matters here
        return keras.ops.zeros(self.compute_output_shape(x.shape))


class Block(keras.layers.Layer):
    def __init__(self, hidden, **kwargs):
        super().__init__(**kwargs)
        self.hidden = hidden
        self.conv_in = Conv(hidden, 1, name="conv_in")
        self.conv_mid = Conv(hidden, 3, name="conv_mid")
        self.conv_out = Conv(2 * hidden, 1, name="conv_out")

    def build(self, shape):
        self.conv_in.build(shape)
        self.conv_mid.build((*shape[:-1], self.hidden))
        self.conv_out.build((*shape[:-1], self.hidden))

    def compute_output_shape(self, shape):
        return shape

    def call(self, x):
        return x


image = x = keras.Input((8, 8, 1), name="image")
x = Conv(4, 3, name="input_conv")(x)
x = Block(2, name="block0")(x)
x = keras.layers.Dropout(0.5, seed=1)(x)  # has the state of a random generator, which is no weight
x = Conv(2, 1, name="output_conv1")(x)
x = Conv(2, 1, name="output_conv2")(x)
x = Conv(17, 1, name="final_conv")(x)
model = keras.Model(image, x)
for k, weight in enumerate(model.trainable_weights):
    j = np.arange(np.prod(weight.shape))
    weight.assign((((31 * k + 7 * j) % 64 - 32) / 64).reshape(weight.shape))
model.compile("sgd", "mse")
model.optimizer.build(model.trainable_variables)

name = sys.argv[1]
model.save(f"{name}.keras")
model.save_weights(f"{name}.weights.h5")
model.save(f"{name}.h5")
np.savez_compressed(f"{name}.npz", **{weight.path.replace("/", "."): weight for weight in model.trainable_weights})
print([weight.path for weight in model.trainable_weights])
