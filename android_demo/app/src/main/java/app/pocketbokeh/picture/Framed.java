package app.pocketbokeh.picture;

import java.util.List;

/**
 * A photo centred in a model's working size; the borders around it mirror the photo.
 *
 * @param picture of the working size
 * @param top first row of the photo itself
 * @param left first column of the photo itself
 * @param height of the photo itself
 * @param width of the photo itself
 * @param isMirrored whether left and right are exchanged
 */
public record Framed(
        Picture picture, int top, int left, int height, int width, boolean isMirrored) {
    /** Pixels at working size. A narrower photo would be half a pixel wide at the coarsest level. */
    public static final int SHORTEST_SIDE = 32;

    /** The second view's share of the working size, as in `pocket_bokeh/render.py`. */
    private static final double SMALLER = 0.96;

    /**
     * The two views of a photo that are rendered and averaged: one as it is, the other a little
     * smaller and mirrored.
     *
     * @throws TooNarrowException if the photo is too long and narrow
     */
    public static List<Framed> views(Picture photo, int height, int width)
            throws TooNarrowException {
        return List.of(
                fit(photo, height, width, 1.0, false),
                fit(photo.mirrored(), height, width, SMALLER, true));
    }

    /**
     * Fits a photo into a share of a working size and keeps its proportions.
     *
     * @throws TooNarrowException if its shorter side would have less than SHORTEST_SIDE pixels when
     *     it fills the working size
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
            int fromRow = GaussianFilter.mirrored(row - top, fittedHeight) * fittedWidth;
            for (int column = 0; column < width; column++) {
                int from = 3 * (fromRow + GaussianFilter.mirrored(column - left, fittedWidth));
                System.arraycopy(fitted.rgb(), from, rgb, 3 * (row * width + column), 3);
            }
        }
        Picture picture = new Picture(height, width, rgb);
        return new Framed(picture, top, left, fittedHeight, fittedWidth, isMirrored);
    }

    private static int whole(double pixels) {
        return Math.max(1, (int) Math.rint(pixels));
    }

    /** The input of a network without a focus map, half the working size. */
    public NetworkInput networkInput() {
        return new NetworkInput(halved(), null);
    }

    /**
     * The input of a network with a focus map, half the working size.
     *
     * @param focus in the photo as it is, not mirrored; null for automatic focus
     */
    public NetworkInput networkInput(FocusPoint focus) {
        return new NetworkInput(halved(), focusMap(focus));
    }

    private Picture halved() {
        return Bicubic.resize(picture, picture.height() / 2, picture.width() / 2);
    }

    private byte[] focusMap(FocusPoint focus) {
        int mapHeight = picture.height() / 2;
        int mapWidth = picture.width() / 2;
        if (focus == null) {
            return new byte[mapHeight * mapWidth];
        }
        double x = isMirrored ? 1.0 - focus.x() : focus.x();
        double centerX = (left + x * width) / 2;
        double centerY = (top + (double) focus.y() * height) / 2;
        double radius = FocusMap.radius(height, width) / 2;
        return FocusMap.disc(mapHeight, mapWidth, centerX, centerY, radius);
    }

    /** Cuts the photo itself out of a picture of the working size, as it was before mirroring. */
    public Planes upright(Planes planes) {
        Planes cut = planes.cut(top, left, height, width);
        return isMirrored ? cut.mirrored() : cut;
    }

    /** Thrown when a photo is too long and narrow for a model. */
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
