package app.pocketbokeh.picture;

/**
 * Bicubic resizing along one axis, antialiased when it shrinks. 8-bit results equal Pillow's bit for
 * bit, so the network sees the same input on the phone as in training.
 */
public final class Bicubic {
    private static final double SHARPNESS = -0.5;
    private static final int SUPPORT = 2;
    private static final int FIXED_POINT_BITS = 22;

    private final int[] first;
    private final double[][] weights;

    /**
     * Computes the weights.
     *
     * @param from length in pixels before resizing
     * @param to length in pixels after it
     */
    public Bicubic(int from, int to) {
        double scale = (double) from / to;
        double stretch = Math.max(scale, 1.0);
        first = new int[to];
        weights = new double[to][];
        for (int pixel = 0; pixel < to; pixel++) {
            double center = (pixel + 0.5) * scale;
            int start = Math.max(0, (int) (center - SUPPORT * stretch + 0.5));
            int end = Math.min(from, (int) (center + SUPPORT * stretch + 0.5));
            first[pixel] = start;
            weights[pixel] = new double[end - start];
            double sum = 0;
            for (int tap = 0; tap < end - start; tap++) {
                weights[pixel][tap] = kernel((tap + start - center + 0.5) / stretch);
                sum += weights[pixel][tap];
            }
            for (int tap = 0; tap < end - start; tap++) {
                weights[pixel][tap] /= sum;
            }
        }
    }

    private static double kernel(double distance) {
        double x = Math.abs(distance);
        if (x < 1) {
            return ((SHARPNESS + 2) * x - (SHARPNESS + 3)) * x * x + 1;
        }
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * SHARPNESS : 0;
    }

    /** The first input pixel that contributes to an output pixel. */
    public int first(int pixel) {
        return first[pixel];
    }

    /** The weights of that input pixel and of those that follow it; they sum to 1. */
    public double[] weights(int pixel) {
        return weights[pixel];
    }

    /** Resizes an 8-bit picture. */
    public static Picture resize(Picture picture, int height, int width) {
        byte[] rgb = picture.rgb();
        if (picture.width() != width) {
            rgb = resizeRows(rgb, picture.height(), picture.width(), width);
        }
        if (picture.height() != height) {
            rgb = resizeColumns(rgb, picture.height(), width, height);
        }
        return new Picture(height, width, rgb);
    }

    private static byte[] resizeRows(byte[] rgb, int height, int width, int newWidth) {
        Bicubic bicubic = new Bicubic(width, newWidth);
        byte[] result = new byte[height * newWidth * 3];
        for (int column = 0; column < newWidth; column++) {
            int[] taps = fixedPoint(bicubic.weights[column]);
            for (int row = 0; row < height; row++) {
                int from = (row * width + bicubic.first[column]) * 3;
                int to = (row * newWidth + column) * 3;
                sum(rgb, from, 3, taps, result, to);
            }
        }
        return result;
    }

    private static byte[] resizeColumns(byte[] rgb, int height, int width, int newHeight) {
        Bicubic bicubic = new Bicubic(height, newHeight);
        byte[] result = new byte[newHeight * width * 3];
        for (int row = 0; row < newHeight; row++) {
            int[] taps = fixedPoint(bicubic.weights[row]);
            for (int column = 0; column < width; column++) {
                int from = (bicubic.first[row] * width + column) * 3;
                sum(rgb, from, 3 * width, taps, result, (row * width + column) * 3);
            }
        }
        return result;
    }

    private static void sum(byte[] rgb, int from, int step, int[] taps, byte[] result, int to) {
        for (int channel = 0; channel < 3; channel++) {
            int sum = 1 << FIXED_POINT_BITS - 1;
            int at = from + channel;
            for (int tap : taps) {
                sum += (rgb[at] & 0xff) * tap;
                at += step;
            }
            result[to + channel] = (byte) Math.max(0, Math.min(255, sum >> FIXED_POINT_BITS));
        }
    }

    private static int[] fixedPoint(double[] weights) {
        int[] taps = new int[weights.length];
        for (int tap = 0; tap < taps.length; tap++) {
            double scaled = weights[tap] * (1 << FIXED_POINT_BITS);
            taps[tap] = (int) (scaled + (weights[tap] < 0 ? -0.5 : 0.5));
        }
        return taps;
    }

    /** Resizes a float plane of height × width. */
    public static float[] resize(
            float[] plane, int height, int width, int newHeight, int newWidth) {
        Bicubic across = new Bicubic(width, newWidth);
        float[] rows = new float[height * newWidth];
        for (int row = 0; row < height; row++) {
            across.resizeRow(plane, row * width, rows, row * newWidth);
        }
        Bicubic down = new Bicubic(height, newHeight);
        float[] result = new float[newHeight * newWidth];
        for (int row = 0; row < newHeight; row++) {
            double[] taps = down.weights[row];
            for (int column = 0; column < newWidth; column++) {
                double sum = 0;
                for (int tap = 0; tap < taps.length; tap++) {
                    sum += rows[(down.first[row] + tap) * newWidth + column] * taps[tap];
                }
                result[row * newWidth + column] = (float) sum;
            }
        }
        return result;
    }

    /**
     * Resizes one row of floats.
     *
     * @param from index in `plane` where the row begins
     * @param to index in `result` where it is written
     */
    public void resizeRow(float[] plane, int from, float[] result, int to) {
        for (int pixel = 0; pixel < first.length; pixel++) {
            double sum = 0;
            double[] taps = weights[pixel];
            int at = from + first[pixel];
            for (double tap : taps) {
                sum += plane[at++] * tap;
            }
            result[to + pixel] = (float) sum;
        }
    }
}
