package app.pocketbokeh.picture;

import java.util.List;

/**
 * A photo in the middle of a model's working size, mirrored outwards at its borders.
 *
 * @param picture of the working size
 * @param top where the photo itself begins
 * @param left where the photo itself begins
 * @param height of the photo itself
 * @param width of the photo itself
 * @param isMirrored whether the photo is, left to right
 */
public record Framed(
        Picture picture, int top, int left, int height, int width, boolean isMirrored) {
    /** Pixels at working size: of a narrower strip the coarsest level would see half a pixel. */
    public static final int SHORTEST_SIDE = 32;

    /** Of the working size, how much the second view of `pocket_bokeh/render.py` takes. */
    private static final double SMALLER = 0.96;

    /**
     * The views of a photo that are rendered: as it is, and a little smaller and mirrored.
     *
     * @throws TooNarrowException if it is far too long for its width
     */
    public static List<Framed> views(Picture photo, int height, int width)
            throws TooNarrowException {
        return List.of(
                fit(photo, height, width, 1.0, false),
                fit(photo.mirrored(), height, width, SMALLER, true));
    }

    /**
     * Fits a photo into a share of a working size without squashing it.
     *
     * @throws TooNarrowException if less than SHORTEST_SIDE pixels of its shorter side were left
     *     of the whole
     */
    private static Framed fit(
            Picture photo, int height, int width, double share, boolean isMirrored)
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
        Picture picture = new Picture(height, width, rgb);
        return new Framed(picture, top, left, fittedHeight, fittedWidth, isMirrored);
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
