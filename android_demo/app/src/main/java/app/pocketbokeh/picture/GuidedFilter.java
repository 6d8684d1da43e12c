package app.pocketbokeh.picture;

/**
 * Guided filter with confidence weights: edge-aware smoothing of a mask along a photo. A port of
 * `pocket_bokeh/guided_filter.py`, which explains it and names its sources.
 */
final class GuidedFilter {
    private static final int REDUCTION = 4;
    private static final double WINDOW_SIGMA = 4.0;
    private static final double EPSILON = 1e-3;

    private final int height;
    private final int width;
    private final float[] weight;
    private final float[] weightSum;

    private GuidedFilter(int height, int width, float[] weight) {
        this.height = height;
        this.width = width;
        this.weight = weight;
        this.weightSum = smooth(weight);
    }

    /**
     * Smooths a mask along the colours of a photo, weighted by certainty. Returns a new plane.
     *
     * @param mask of the photo's size
     * @param certainty weights above 0, of the photo's size
     */
    static float[] filter(float[] mask, float[] certainty, Planes photo) {
        int height = photo.height();
        int width = photo.width();
        float[] weight = reduced(certainty, height, width);
        float[] weightedMask = reduced(product(certainty, mask), height, width);
        for (int pixel = 0; pixel < weightedMask.length; pixel++) {
            weightedMask[pixel] /= weight[pixel];
        }
        float[][] guide = new float[3][];
        for (int channel = 0; channel < 3; channel++) {
            guide[channel] = reduced(photo.channel(channel), height, width);
        }
        GuidedFilter windows = new GuidedFilter(blocks(height), blocks(width), weight);
        float[][] fits = windows.fitColours(weightedMask, guide);
        float[] result = windows.enlarged(fits[3], height, width);
        for (int channel = 0; channel < 3; channel++) {
            float[] slope = windows.enlarged(fits[channel], height, width);
            float[] plane = photo.channel(channel);
            for (int pixel = 0; pixel < result.length; pixel++) {
                result[pixel] += slope[pixel] * plane[pixel];
            }
        }
        return result;
    }

    /** Fits mask = slopes · colour + constant in every window; three slopes and the constant. */
    private float[][] fitColours(float[] mask, float[][] guide) {
        float[][] withMask = new float[3][];
        float[][][] covariance = new float[3][3][];
        for (int row = 0; row < 3; row++) {
            withMask[row] = covariance(guide[row], mask);
            for (int column = 0; column <= row; column++) {
                covariance[row][column] = covariance(guide[row], guide[column]);
                covariance[column][row] = covariance[row][column];
            }
        }
        float[][] fits = solve(covariance, withMask);
        float[] constant = mean(mask);
        for (int channel = 0; channel < 3; channel++) {
            float[] colour = mean(guide[channel]);
            for (int pixel = 0; pixel < constant.length; pixel++) {
                constant[pixel] -= fits[channel][pixel] * colour[pixel];
            }
        }
        // Every pixel lies in many windows; average their coefficients.
        return new float[][] {
            smooth(fits[0]), smooth(fits[1]), smooth(fits[2]), smooth(constant)
        };
    }

    private float[][] solve(float[][][] covariance, float[][] withMask) {
        float[][] slopes = new float[3][weight.length];
        double[][] left = new double[3][3];
        double[] right = new double[3];
        for (int pixel = 0; pixel < weight.length; pixel++) {
            for (int row = 0; row < 3; row++) {
                for (int column = 0; column < 3; column++) {
                    left[row][column] = covariance[row][column][pixel];
                }
                left[row][row] += EPSILON;
                right[row] = withMask[row][pixel];
            }
            solve(left, right);
            for (int channel = 0; channel < 3; channel++) {
                slopes[channel][pixel] = (float) right[channel];
            }
        }
        return slopes;
    }

    /** Gaussian elimination in place. The matrix is positive definite, so it needs no pivoting. */
    private static void solve(double[][] left, double[] right) {
        for (int pivot = 0; pivot < 3; pivot++) {
            for (int row = pivot + 1; row < 3; row++) {
                double factor = left[row][pivot] / left[pivot][pivot];
                for (int column = pivot; column < 3; column++) {
                    left[row][column] -= factor * left[pivot][column];
                }
                right[row] -= factor * right[pivot];
            }
        }
        for (int row = 2; row >= 0; row--) {
            for (int column = row + 1; column < 3; column++) {
                right[row] -= left[row][column] * right[column];
            }
            right[row] /= left[row][row];
        }
    }

    private float[] covariance(float[] one, float[] other) {
        float[] result = mean(product(one, other));
        float[] means = product(mean(one), mean(other));
        for (int pixel = 0; pixel < result.length; pixel++) {
            result[pixel] -= means[pixel];
        }
        return result;
    }

    private float[] mean(float[] plane) {
        float[] result = smooth(product(weight, plane));
        for (int pixel = 0; pixel < result.length; pixel++) {
            result[pixel] /= weightSum[pixel];
        }
        return result;
    }

    private float[] smooth(float[] plane) {
        return GaussianFilter.gaussian(plane, height, width, WINDOW_SIGMA);
    }

    /** Enlarges with bicubic filtering and crops to the photo's size. */
    private float[] enlarged(float[] plane, int toHeight, int toWidth) {
        int across = width * REDUCTION;
        float[] whole = Bicubic.resize(plane, height, width, height * REDUCTION, across);
        float[] result = new float[toHeight * toWidth];
        for (int row = 0; row < toHeight; row++) {
            System.arraycopy(whole, row * across, result, row * toWidth, toWidth);
        }
        return result;
    }

    /** Averages blocks; those at the right and bottom edges may be smaller. */
    private static float[] reduced(float[] plane, int height, int width) {
        float[] result = new float[blocks(height) * blocks(width)];
        for (int block = 0; block < result.length; block++) {
            int top = block / blocks(width) * REDUCTION;
            int left = block % blocks(width) * REDUCTION;
            int bottom = Math.min(height, top + REDUCTION);
            int right = Math.min(width, left + REDUCTION);
            double sum = 0;
            for (int row = top; row < bottom; row++) {
                for (int column = left; column < right; column++) {
                    sum += plane[row * width + column];
                }
            }
            result[block] = (float) (sum / ((bottom - top) * (right - left)));
        }
        return result;
    }

    private static int blocks(int length) {
        return (length + REDUCTION - 1) / REDUCTION;
    }

    private static float[] product(float[] one, float[] other) {
        float[] result = new float[one.length];
        for (int pixel = 0; pixel < result.length; pixel++) {
            result[pixel] = one[pixel] * other[pixel];
        }
        return result;
    }
}
