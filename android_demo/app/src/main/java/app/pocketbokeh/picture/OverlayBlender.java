package app.pocketbokeh.picture;

import java.util.Arrays;

/**
 * Applies an overlay to a photo of any size, row by row from the top. Only a few rows are held as
 * floats at a time.
 */
public final class OverlayBlender {
    private static final int PLANES = 4;

    private final int width;
    private final float[][] planes;
    private final Overlay overlay;
    private final Bicubic across;
    private final Bicubic down;
    private final float[][][] wideRows;
    private final int[] cachedRow;
    private final float[][] sums;

    /**
     * Prepares for a photo.
     *
     * @param overlay for the photo as its pixels are stored
     * @param height of the photo in pixels
     * @param width of the photo in pixels
     */
    public OverlayBlender(Overlay overlay, int height, int width) {
        this.overlay = overlay;
        this.width = width;
        planes = new float[][] {
            overlay.gain(), times255(overlay, 0), times255(overlay, 1), times255(overlay, 2)
        };
        across = new Bicubic(overlay.width(), width);
        down = new Bicubic(overlay.height(), height);
        int most = 0;
        for (int row = 0; row < height; row++) {
            most = Math.max(most, down.weights(row).length);
        }
        wideRows = new float[PLANES][most][width];
        cachedRow = new int[most];
        Arrays.fill(cachedRow, -1);
        sums = new float[PLANES][width];
    }

    private static float[] times255(Overlay overlay, int channel) {
        float[] plane = overlay.offset().channel(channel).clone();
        for (int pixel = 0; pixel < plane.length; pixel++) {
            plane[pixel] *= 255;
        }
        return plane;
    }

    /**
     * Blends one row in place.
     *
     * @param row its index in the photo
     * @param argb pixels, packed 0xAARRGGBB
     * @param start index in `argb` where the row begins
     */
    public void blendRow(int row, int[] argb, int start) {
        int first = down.first(row);
        double[] weights = down.weights(row);
        for (int tap = 0; tap < weights.length; tap++) {
            cache(first + tap);
        }
        for (int plane = 0; plane < PLANES; plane++) {
            sum(wideRows[plane], first, weights, sums[plane]);
        }
        blend(argb, start);
    }

    private void cache(int row) {
        int slot = row % cachedRow.length;
        if (cachedRow[slot] == row) {
            return;
        }
        for (int plane = 0; plane < PLANES; plane++) {
            across.resizeRow(planes[plane], row * overlay.width(), wideRows[plane][slot], 0);
        }
        cachedRow[slot] = row;
    }

    private static void sum(float[][] rows, int first, double[] weights, float[] sum) {
        float[] top = rows[first % rows.length];
        float weight = (float) weights[0];
        for (int column = 0; column < sum.length; column++) {
            sum[column] = weight * top[column];
        }
        for (int tap = 1; tap < weights.length; tap++) {
            float[] wide = rows[(first + tap) % rows.length];
            float share = (float) weights[tap];
            for (int column = 0; column < sum.length; column++) {
                sum[column] += share * wide[column];
            }
        }
    }

    private void blend(int[] argb, int start) {
        float[] gain = sums[0];
        float[] red = sums[1];
        float[] green = sums[2];
        float[] blue = sums[3];
        for (int column = 0; column < width; column++) {
            int color = Pixels.overWhite(argb[start + column]);
            float factor = gain[column];
            int r = code(factor * (color >> 16 & 0xff) + red[column]);
            int g = code(factor * (color >> 8 & 0xff) + green[column]);
            int b = code(factor * (color & 0xff) + blue[column]);
            argb[start + column] = 0xff000000 | r << 16 | g << 8 | b;
        }
    }

    private static int code(float value) {
        return (int) Math.max(0f, Math.min(255f, value + 0.5f));
    }
}
