package app.pocketbokeh.picture;

/** A picture of floats 0…1 in three planes, height × width each. */
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

    /** Red, green or blue, row by row; not a copy. */
    public float[] channel(int index) {
        return channels[index];
    }

    /** A part of it, copied. */
    public Planes cut(int top, int left, int height, int width) {
        Planes part = new Planes(height, width);
        for (int channel = 0; channel < 3; channel++) {
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
