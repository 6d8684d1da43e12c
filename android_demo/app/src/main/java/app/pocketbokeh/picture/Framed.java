package app.pocketbokeh.picture;

import java.util.ArrayList;
import java.util.List;

/**
 * A photo in the middle of a model's working size, mirrored outwards at its borders.
 *
 * @param picture of the working size
 * @param top where the photo itself begins
 * @param left where the photo itself begins
 * @param height of the photo itself
 * @param width of the photo itself
 */
public record Framed(Picture picture, int top, int left, int height, int width) {
    /** Pixels at working size: of a narrower strip the coarsest level would see half a pixel. */
    public static final int SHORTEST_SIDE = 32;

    /** The shares of the working size that a photo is rendered at, as in `quantize/render.py`. */
    private static final double[] VIEWS = {1.0, 0.92};

    /**
     * A photo fitted into every such share of a working size, the largest first.
     *
     * @throws TooNarrowException if it is far too long for its width
     */
    public static List<Framed> views(Picture photo, int height, int width)
            throws TooNarrowException {
        List<Framed> views = new ArrayList<>();
        for (double share : VIEWS) {
            views.add(fit(photo, height, width, share));
        }
        return views;
    }

    /**
     * Fits a photo into a share of a working size without squashing it.
     *
     * @throws TooNarrowException if less than SHORTEST_SIDE pixels of its shorter side were left
     *     of the whole
     */
    static Framed fit(Picture photo, int height, int width, double share)
            throws TooNarrowException {
        double scale =
                Math.min((double) height / photo.height(), (double) width / photo.width());
        int shorter = Math.min(photo.height(), photo.width());
        if (whole(shorter * scale) < SHORTEST_SIDE) {
            throw new TooNarrowException(Math.min(height, width) / SHORTEST_SIDE);
        }
        int fittedHeight = whole(photo.height() * scale * share);
        int fittedWidth = whole(photo.width() * scale * share);
        Picture fitted = Bicubic.resize(photo, fittedHeight, fittedWidth);
        int top = (height - fittedHeight) / 2;
        int left = (width - fittedWidth) / 2;
        byte[] rgb = new byte[height * width * 3];
        for (int row = 0; row < height; row++) {
            int fromRow = Smoothing.mirrored(row - top, fittedHeight) * fittedWidth;
            for (int column = 0; column < width; column++) {
                int from = 3 * (fromRow + Smoothing.mirrored(column - left, fittedWidth));
                System.arraycopy(fitted.rgb(), from, rgb, 3 * (row * width + column), 3);
            }
        }
        return new Framed(
                new Picture(height, width, rgb), top, left, fittedHeight, fittedWidth);
    }

    private static int whole(double pixels) {
        return Math.max(1, (int) Math.rint(pixels));
    }

    /** What the network sees: half the working size. */
    public Picture networkInput() {
        return Bicubic.resize(picture, picture.height() / 2, picture.width() / 2);
    }

    /** The photo's own part of a picture of the working size. */
    public Planes cut(Planes planes) {
        return planes.cut(top, left, height, width);
    }

    /** A photo too long and narrow for a model. */
    public static final class TooNarrowException extends Exception {
        private static final long serialVersionUID = 1;
        private final int mostTimes;

        TooNarrowException(int mostTimes) {
            super("at most " + mostTimes + " times as long as wide");
            this.mostTimes = mostTimes;
        }

        /** How many times as long as wide a photo may be. */
        public int mostTimes() {
            return mostTimes;
        }
    }
}
