package app.pocketbokeh.picture;

/**
 * The focus map, which tells a network what to keep sharp. A port of `pocket_bokeh/focus_map.py`,
 * which explains it. Tests compare the constant, and the maps to within one 8-bit step.
 */
final class FocusMap {
    /** Radius of a disc relative to the photo's shorter side. */
    private static final double RADIUS = 0.04;

    private FocusMap() {}

    /** The radius of a disc in pixels, for a photo of a size. */
    static double radius(double height, double width) {
        return RADIUS * Math.min(height, width);
    }

    /**
     * Draws a soft disc.
     *
     * @param height of the map
     * @param width of the map
     * @param centerX in pixels from the map's left edge; the first pixel's centre is at 0.5
     * @param centerY in pixels from the map's top edge
     * @param radius in pixels
     * @return height × width, unsigned bytes, row by row
     */
    static byte[] disc(int height, int width, double centerX, double centerY, double radius) {
        byte[] map = new byte[height * width];
        for (int row = 0; row < height; row++) {
            double down = row + 0.5 - centerY;
            for (int column = 0; column < width; column++) {
                double across = column + 0.5 - centerX;
                double distance = Math.sqrt(across * across + down * down);
                double value = (1.25 * radius - distance) / (0.5 * radius);
                map[row * width + column] = (byte) Math.rint(255 * Math.max(0, Math.min(1, value)));
            }
        }
        return map;
    }
}
