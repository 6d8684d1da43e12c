"""Muon for convolutions: every step moves a kernel in all directions that its gradients know alike.

Of a network that has seen little, the gradients of a kernel differ by orders of magnitude from one
direction to another; Adam, which scales each weight by itself, leaves most of them for later.
Level 5 knows after 500 steps more than with Adam after 800 (docs/experiments.md).
"""

from typing import Any

import keras
from keras import ops

BY_ADAM = ("head", "gate", "sharpness")
"""Layers that end a network, whose outputs are pictures: their kernels are left to Adam."""


class KernelMuon(keras.optimizers.Muon):
    """Keras' Muon, for kernels of four dimensions; Adam for biases and the layers that end.

    Jordan, Jin, Boza, You, Cesista, Newhouse, Bernstein, "Muon: An optimizer for hidden layers in
    neural networks", 2024; the length of a step as in Liu et al., "Muon is scalable for LLM
    training", 2025, section 2.2. A kernel counts as a matrix of all it sees by what it gives.
    """

    def __init__(self, learning_rate: Any):
        """Muon without weight decay.

        Args:
            learning_rate: a number or one of Keras' schedules; of Adam's part, too.
        """
        super().__init__(learning_rate, weight_decay=None, adam_weight_decay=None)

    def _should_use_adamw(self, variable: Any) -> bool:
        return len(variable.shape) != 4 or any(name in variable.path for name in BY_ADAM)

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        direction = ops.add(gradient, self.momentum * m)
        matrix = ops.reshape(direction, (-1, variable.shape[-1]))
        update = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, ops.reshape(update, variable.shape))
