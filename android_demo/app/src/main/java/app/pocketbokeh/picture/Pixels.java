package app.pocketbokeh.picture;

/** Operations on packed pixels, 0xAARRGGBB. */
public final class Pixels {
    private Pixels() {}

    /** Blends a pixel over white; the result is opaque. */
    public static int overWhite(int argb) {
        int alpha = argb >>> 24;
        if (alpha == 0xff) {
            return argb;
        }
        int white = 0xff - alpha;
        int red = (alpha * (argb >> 16 & 0xff) + 127) / 255 + white;
        int green = (alpha * (argb >> 8 & 0xff) + 127) / 255 + white;
        int blue = (alpha * (argb & 0xff) + 127) / 255 + white;
        return 0xff000000 | red << 16 | green << 8 | blue;
    }
}
