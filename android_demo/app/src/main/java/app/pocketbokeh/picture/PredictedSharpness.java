package app.pocketbokeh.picture;

/**
 * Decides from a network's predicted sharpness where a photo stays sharp. A port of
 * `pocket_bokeh/predicted_sharpness.py`, which explains it.
 */
final class PredictedSharpness {
    private static final double LEAST_PROBABILITY = 0.03;
    private static final double GREATEST_PROBABILITY = 0.97;
    private static final double LOSS_WEIGHT = 6.0;
    private static final double LOWEST_THRESHOLD = 0.05;
    private static final double HIGHEST_THRESHOLD = 0.7;
    private static final double BELOW_MAXIMUM = 4.7;
    private static final int RADIUS = 12;
    private static final double EDGE = 0.9;
    private static final int STEPS = 255;
    private static final float[] LUMA = {0.299f, 0.587f, 0.114f};

    private PredictedSharpness() {}

    /**
     * Returns the share of a photo's detail to keep, 0…1.
     *
     * @param small the photo at working size
     * @param sharpness the network's prediction, 0…1
     */
    static float[] sharpShare(Planes small, float[] sharpness) {
        double balanced = balancedThreshold(small, sharpness);
        float[] maximum = localMaximum(sharpness, small.height(), small.width());
        double edge = EDGE / logitSpan();
        float[] result = new float[sharpness.length];
        for (int pixel = 0; pixel < result.length; pixel++) {
            // Where the subject is sure, a low threshold would leave a rim of background.
            double threshold = Math.max(balanced, maximum[pixel] - BELOW_MAXIMUM / logitSpan());
            result[pixel] = (float) clip((sharpness[pixel] - threshold) / edge + 0.5, 0, 1);
        }
        return result;
    }

    /** Returns the predicted sharpness at which the two faults balance. */
    private static double balancedThreshold(Planes small, float[] sharpness) {
        double[] inFocus = new double[STEPS + 1];
        double[] outOfFocus = new double[STEPS + 1];
        double[] counted = detailBySteps(squaredGradients(small), sharpness);
        for (int step = 0; step <= STEPS; step++) {
            double logit = logit(LEAST_PROBABILITY) + logitSpan() * step / STEPS;
            double probability = 1 / (1 + Math.exp(-logit));
            inFocus[step] = counted[step] * probability;
            outOfFocus[step] = counted[step] * (1 - probability);
        }
        double edge = balance(cumulativeShare(inFocus), cumulativeShare(outOfFocus));
        return clip(
                (edge - 0.5) / STEPS, sharpness(LOWEST_THRESHOLD), sharpness(HIGHEST_THRESHOLD));
    }

    /** Adds up the squared gradients of the pixels at each step of predicted sharpness. */
    private static double[] detailBySteps(float[] detail, float[] sharpness) {
        double[] counted = new double[STEPS + 1];
        for (int pixel = 0; pixel < detail.length; pixel++) {
            counted[(int) Math.rint(clip(sharpness[pixel], 0, 1) * STEPS)] += detail[pixel];
        }
        return counted;
    }

    /** Returns the edge between steps, with a fraction, below which everything is blurred. */
    private static double balance(double[] lost, double[] backgroundBlurred) {
        double before = -1;
        for (int edge = 1; edge < lost.length; edge++) {
            double balance = LOSS_WEIGHT * lost[edge] - (1 - backgroundBlurred[edge]);
            if (balance >= 0) {
                return edge - balance / (balance - before);
            }
            before = balance;
        }
        return lost.length - 1;
    }

    /** Returns the share of the sum before each value, and 1 at the end; zeros if all are zero. */
    private static double[] cumulativeShare(double[] values) {
        double[] total = new double[values.length + 1];
        for (int index = 0; index < values.length; index++) {
            total[index + 1] = total[index] + values[index];
        }
        double all = Math.max(total[values.length], Double.MIN_NORMAL);
        for (int index = 0; index < total.length; index++) {
            total[index] /= all;
        }
        return total;
    }

    /** Finds the greatest value within RADIUS rows and columns. */
    private static float[] localMaximum(float[] plane, int height, int width) {
        float[] inRows = new float[plane.length];
        float[] result = new float[plane.length];
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int from = row * width + Math.max(column - RADIUS, 0);
                int to = row * width + Math.min(column + RADIUS, width - 1);
                inRows[row * width + column] = maximum(plane, from, to, 1);
            }
        }
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int from = Math.max(row - RADIUS, 0) * width + column;
                int to = Math.min(row + RADIUS, height - 1) * width + column;
                result[row * width + column] = maximum(inRows, from, to, width);
            }
        }
        return result;
    }

    private static float maximum(float[] plane, int from, int to, int step) {
        float greatest = 0;
        for (int pixel = from; pixel <= to; pixel += step) {
            greatest = Math.max(greatest, plane[pixel]);
        }
        return Math.min(greatest, 1);
    }

    /** Squares the gradient of the luma: central differences, one-sided ones at the edges. */
    private static float[] squaredGradients(Planes picture) {
        int height = picture.height();
        int width = picture.width();
        float[] luma = luma(picture);
        float[] result = new float[luma.length];
        for (int row = 0; row < height; row++) {
            int above = Math.max(row - 1, 0);
            int below = Math.min(row + 1, height - 1);
            for (int column = 0; column < width; column++) {
                int left = Math.max(column - 1, 0);
                int right = Math.min(column + 1, width - 1);
                float down = luma[below * width + column] - luma[above * width + column];
                float across = luma[row * width + right] - luma[row * width + left];
                down /= below - above;
                across /= right - left;
                result[row * width + column] = down * down + across * across;
            }
        }
        return result;
    }

    private static float[] luma(Planes picture) {
        float[] result = new float[picture.height() * picture.width()];
        for (int channel = 0; channel < 3; channel++) {
            float[] plane = picture.channel(channel);
            for (int pixel = 0; pixel < result.length; pixel++) {
                result[pixel] += LUMA[channel] * plane[pixel];
            }
        }
        return result;
    }

    /** Returns the predicted sharpness that means a probability. */
    private static double sharpness(double probability) {
        return (logit(probability) - logit(LEAST_PROBABILITY)) / logitSpan();
    }

    private static double logitSpan() {
        return logit(GREATEST_PROBABILITY) - logit(LEAST_PROBABILITY);
    }

    private static double logit(double probability) {
        return Math.log(probability / (1 - probability));
    }

    private static double clip(double value, double lowest, double highest) {
        return Math.max(lowest, Math.min(highest, value));
    }
}
