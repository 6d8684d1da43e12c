"""Adam with one TensorFlow operator per variable; Keras's takes ten, each over all weights.

The published network has tens of millions of weights. On a CPU, Keras's Adam took a sixth of each
step (docs/experiments.md).
"""

from typing import Any

import keras


class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam for the TensorFlow backend, with the same variables and checkpoints.

    Kingma, Ba, "Adam", ICLR 2015, section 2, with epsilon applied as in Keras.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates a variable and its two moments in place.

        Args:
            gradient: of the variable's shape.
            variable: a tf.Variable that the optimizer was built with.
            learning_rate: a scalar.
        """
        import tensorflow as tf

        index = self._get_variable_index(variable)
        steps = tf.cast(self.iterations + 1, variable.dtype)
        beta_1, beta_2 = (tf.constant(beta, variable.dtype) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(beta_1, steps),
            beta2_power=tf.pow(beta_2, steps),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )
