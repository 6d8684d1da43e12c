package app.pocketbokeh.picture;

/**
 * A picture of 8-bit codes, RGB, sRGB-encoded, upright.
 *
 * @param rgb height × width × 3, row by row, three bytes a pixel, unsigned
 */
public record Picture(int height, int width, byte[] rgb) {
    public Picture {
        if (height < 1 || width < 1 || rgb.length != height * width * 3) {
            throw new IllegalArgumentException(
                    rgb.length + " bytes for a picture of " + width + "×" + height);
        }
    }

    /**
     * From pixels as Android packs them.
     *
     * @param argb height × width; transparency is laid over white
     */
    public static Picture ofPixels(int height, int width, int[] argb) {
        byte[] rgb = new byte[height * width * 3];
        for (int pixel = 0; pixel < height * width; pixel++) {
            int color = Pixels.overWhite(argb[pixel]);
            rgb[3 * pixel] = (byte) (color >> 16);
            rgb[3 * pixel + 1] = (byte) (color >> 8);
            rgb[3 * pixel + 2] = (byte) color;
        }
        return new Picture(height, width, rgb);
    }

    /** Left and right exchanged. */
    Picture mirrored() {
        byte[] mirrored = new byte[rgb.length];
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int from = 3 * (row * width + width - 1 - column);
                System.arraycopy(rgb, from, mirrored, 3 * (row * width + column), 3);
            }
        }
        return new Picture(height, width, mirrored);
    }

    /** Its channels as floats 0…1. */
    public Planes toPlanes() {
        Planes planes = new Planes(height, width);
        for (int channel = 0; channel < 3; channel++) {
            float[] plane = planes.channel(channel);
            for (int pixel = 0; pixel < plane.length; pixel++) {
                plane[pixel] = (rgb[3 * pixel + channel] & 0xff) / 255f;
            }
        }
        return planes;
    }
}
