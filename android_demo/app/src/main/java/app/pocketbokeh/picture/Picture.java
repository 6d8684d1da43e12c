package app.pocketbokeh.picture;

/**
 * An 8-bit RGB picture, sRGB-encoded, upright.
 *
 * @param rgb height × width × 3 unsigned bytes, row by row
 */
public record Picture(int height, int width, byte[] rgb) {
    public Picture {
        if (height < 1 || width < 1 || rgb.length != height * width * 3) {
            throw new IllegalArgumentException(
                    rgb.length + " bytes for a picture of " + width + "×" + height);
        }
    }

    /**
     * Converts packed pixels.
     *
     * @param argb height × width, 0xAARRGGBB; transparent pixels are blended over white
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

    /** Exchanges left and right. */
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

    /** Converts the channels to floats 0…1. */
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
