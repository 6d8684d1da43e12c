package app.pocketbokeh.picture;

/**
 * A float RGB picture in three planes of height × width, 0…1. A network's output may have a fourth
 * plane: predicted sharpness.
 */
public final class Planes {
    private final int height;
    private final int width;
    private final float[][] channels;

    public Planes(int height, int width) {
        this(height, width, new float[3][height * width]);
    }

    public Planes(int height, int width, float[][] channels) {
        this.height = height;
        this.width = width;
        this.channels = channels;
    }

    public int height() {
        return height;
    }

    public int width() {
        return width;
    }

    /** Whether there is a fourth plane. */
    public boolean hasSharpness() {
        return channels.length == 4;
    }

    /** Red (0), green (1), blue (2) or sharpness (3), row by row; not a copy. */
    public float[] channel(int index) {
        return channels[index];
    }

    /** Exchanges left and right, in a copy. */
    public Planes mirrored() {
        float[][] result = new float[channels.length][];
        for (int channel = 0; channel < channels.length; channel++) {
            result[channel] = Orientation.MIRRORED.asStored(channels[channel], height, width);
        }
        return new Planes(height, width, result);
    }

    /** The same colours with another prediction of sharpness; planes are not copied. */
    public Planes withSharpness(float[] sharpness) {
        return new Planes(
                height, width, new float[][] {channels[0], channels[1], channels[2], sharpness});
    }

    /** Copies a part. */
    public Planes cut(int top, int left, int height, int width) {
        Planes part = new Planes(height, width, new float[channels.length][height * width]);
        for (int channel = 0; channel < channels.length; channel++) {
            for (int row = 0; row < height; row++) {
                System.arraycopy(
                        channels[channel],
                        (top + row) * this.width + left,
                        part.channels[channel],
                        row * width,
                        width);
            }
        }
        return part;
    }
}
