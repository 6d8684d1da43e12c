package app.pocketbokeh.picture;

/** Gaussian and box filters on float planes. Borders are mirrored, as in SciPy's `reflect` mode. */
final class GaussianFilter {
    /** Where the kernel is cut off, in sigmas. */
    private static final double TRUNCATE = 4.0;

    private GaussianFilter() {}

    /** Applies a Gaussian filter; `sigma` is in pixels. Returns a new plane. */
    static float[] gaussian(float[] plane, int height, int width, double sigma) {
        int radius = (int) (TRUNCATE * sigma + 0.5);
        double[] taps = new double[2 * radius + 1];
        double sum = 0;
        for (int tap = 0; tap < taps.length; tap++) {
            double distance = tap - radius;
            taps[tap] = Math.exp(-0.5 * distance * distance / (sigma * sigma));
            sum += taps[tap];
        }
        for (int tap = 0; tap < taps.length; tap++) {
            taps[tap] /= sum;
        }
        return across(down(plane, height, width, taps), height, width, taps);
    }

    /** Averages 3 × 3 pixels. Returns a new plane. */
    static float[] box(float[] plane, int height, int width) {
        double[] taps = {1 / 3.0, 1 / 3.0, 1 / 3.0};
        return across(down(plane, height, width, taps), height, width, taps);
    }

    private static float[] down(float[] plane, int height, int width, double[] taps) {
        int radius = taps.length / 2;
        float[] result = new float[plane.length];
        double[] sums = new double[width];
        for (int row = 0; row < height; row++) {
            java.util.Arrays.fill(sums, 0);
            for (int tap = 0; tap < taps.length; tap++) {
                int from = mirrored(row + tap - radius, height) * width;
                double weight = taps[tap];
                for (int column = 0; column < width; column++) {
                    sums[column] += weight * plane[from + column];
                }
            }
            for (int column = 0; column < width; column++) {
                result[row * width + column] = (float) sums[column];
            }
        }
        return result;
    }

    private static float[] across(float[] plane, int height, int width, double[] taps) {
        int radius = taps.length / 2;
        float[] result = new float[plane.length];
        float[] padded = new float[width + 2 * radius];
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < padded.length; column++) {
                padded[column] = plane[row * width + mirrored(column - radius, width)];
            }
            for (int column = 0; column < width; column++) {
                double sum = 0;
                for (int tap = 0; tap < taps.length; tap++) {
                    sum += taps[tap] * padded[column + tap];
                }
                result[row * width + column] = (float) sum;
            }
        }
        return result;
    }

    /** Reflects an index into 0…length − 1; the edge pixel repeats: … 1 0 | 0 1 …. */
    static int mirrored(int index, int length) {
        int period = Math.floorMod(index, 2 * length);
        return period < length ? period : 2 * length - 1 - period;
    }
}
