"""A small convolutional network in numpy: layers, Adam, and the training loop.

Images are laid out [batch, height, width, channel], so that a 3x3 convolution is one matrix product over
nine shifted copies. `digits.py` turns the weights into ONNX's layout. Nothing here reads files.
"""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

KERNEL = 3
TAPS = [(row, column) for row in range(KERNEL) for column in range(KERNEL)]


class Parameter:
    """A weight array with its gradient and Adam's two running moments."""

    def __init__(self, value):
        self.value = value.astype(np.float32)
        self.gradient = np.zeros_like(self.value)
        self.first = np.zeros_like(self.value)
        self.second = np.zeros_like(self.value)


class Linear:
    """Weights [inputs, outputs] and a bias, drawn by He's rule; the base of both layers with weights."""

    def __init__(self, rng, inputs, outputs):
        self.weight = Parameter(rng.standard_normal((inputs, outputs)) * np.sqrt(2.0 / inputs))
        self.bias = Parameter(np.zeros(outputs))
        self.parameters = [self.weight, self.bias]

    def product(self, rows):
        """`rows` x weights + bias; keeps `rows` for the way back."""
        self.rows = rows
        return rows @ self.weight.value + self.bias.value

    def product_gradient(self, gradient):
        """Stores the gradients of weight and bias, returns that of the rows."""
        self.weight.gradient = self.rows.T @ gradient
        self.bias.gradient = gradient.sum(axis=0)
        return gradient @ self.weight.value.T


class Dense(Linear):
    """A fully connected layer."""

    forward = Linear.product
    backward = Linear.product_gradient


class Conv(Linear):
    """A 3x3 convolution with a padding of one and a stride of one."""

    def __init__(self, rng, inputs, outputs):
        super().__init__(rng, len(TAPS) * inputs, outputs)

    def forward(self, images):
        batch, height, width, channels = images.shape
        padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
        columns = np.concatenate([padded[:, r : r + height, c : c + width] for r, c in TAPS], axis=3)
        self.shape = images.shape
        return self.product(columns.reshape(-1, len(TAPS) * channels)).reshape(batch, height, width, -1)

    def backward(self, gradient):
        batch, height, width, channels = self.shape
        columns = self.product_gradient(gradient.reshape(-1, gradient.shape[-1]))
        columns = columns.reshape(batch, height, width, len(TAPS), channels)
        padded = np.zeros((batch, height + 2, width + 2, channels), np.float32)
        for tap, (r, c) in enumerate(TAPS):
            padded[:, r : r + height, c : c + width] += columns[:, :, :, tap]
        return padded[:, 1:-1, 1:-1]


class Relu:
    """The rectifier."""

    parameters = ()

    def forward(self, values):
        self.positive = values > 0
        return values * self.positive

    def backward(self, gradient):
        return gradient * self.positive


class MaxPool:
    """The largest of each 2x2 block; among equals the gradient is shared."""

    parameters = ()

    def forward(self, images):
        batch, height, width, channels = images.shape
        self.blocks = images.reshape(batch, height // 2, 2, width // 2, 2, channels)
        self.largest = self.blocks.max(axis=(2, 4), keepdims=True)
        return self.largest[:, :, 0, :, 0]

    def backward(self, gradient):
        winners = self.blocks == self.largest
        share = winners / winners.sum(axis=(2, 4), keepdims=True, dtype=np.float32)
        batch, rows, _, columns, _, channels = self.blocks.shape
        return (share * gradient[:, :, None, :, None]).reshape(batch, rows * 2, columns * 2, channels)


class Flatten:
    """[batch, height, width, channel] to [batch, features], channel by channel as ONNX's Flatten orders them."""

    parameters = ()

    def forward(self, images):
        batch, height, width, channels = images.shape
        self.shape = (batch, channels, height, width)
        return images.transpose(0, 3, 1, 2).reshape(batch, -1)

    def backward(self, gradient):
        return gradient.reshape(self.shape).transpose(0, 2, 3, 1)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    seed: int


def forward(layers, values):
    """The output of the last layer."""
    for layer in layers:
        values = layer.forward(values)
    return values


def train(layers, images, labels, recipe):
    """Trains `layers` in place; on one BLAS thread, so that the thread count does not change the sums."""
    rng = np.random.default_rng(recipe.seed)
    parameters = [parameter for layer in layers for parameter in layer.parameters]
    steps_per_epoch = -(-len(images) // recipe.batch_size)
    total_steps = recipe.epochs * steps_per_epoch
    step = 0
    with threadpool_limits(1):
        for _ in range(recipe.epochs):
            for chosen in np.array_split(rng.permutation(len(images)), steps_per_epoch):
                backpropagate(layers, shifted(images[chosen], rng), labels[chosen])
                adam(parameters, step, total_steps, recipe)
                step += 1


def shifted(images, rng):
    """Each image moved by -1, 0 or 1 pixels along both axes; what enters is background."""
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    offsets = rng.integers(0, 3, size=(len(images), 2))
    return np.stack([image[r : r + height, c : c + width] for image, (r, c) in zip(padded, offsets, strict=True)])


def backpropagate(layers, images, labels):
    """Leaves the gradient of the mean cross-entropy in every parameter."""
    logits = forward(layers, images)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    gradient = odds / odds.sum(axis=1, keepdims=True)
    gradient[np.arange(len(labels)), labels] -= 1.0
    gradient /= np.float32(len(labels))
    for layer in reversed(layers):
        gradient = layer.backward(gradient)


def adam(parameters, step, total_steps, recipe):
    """One step of Adam with decoupled weight decay; the learning rate falls along half a cosine."""
    rate = recipe.learning_rate * 0.5 * (1.0 + np.cos(np.pi * step / total_steps))
    first_scale = 1.0 / (1.0 - 0.9 ** (step + 1))
    second_scale = 1.0 / (1.0 - 0.999 ** (step + 1))
    for parameter in parameters:
        gradient = parameter.gradient
        parameter.first += np.float32(0.1) * (gradient - parameter.first)
        parameter.second += np.float32(0.001) * (gradient * gradient - parameter.second)
        update = parameter.first * first_scale / (np.sqrt(parameter.second * second_scale) + 1e-8)
        decay = recipe.weight_decay if parameter.value.ndim > 1 else 0.0
        parameter.value -= (rate * (update + decay * parameter.value)).astype(np.float32)
