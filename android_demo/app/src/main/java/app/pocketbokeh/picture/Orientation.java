package app.pocketbokeh.picture;

/**
 * How a photo lies in its file, as EXIF counts it: 1 is upright, from 5 on it lies on its side.
 *
 * @param exif 1…8
 */
public record Orientation(int exif) {
    public static final Orientation UPRIGHT = new Orientation(1);

    /** Upright, left and right exchanged. */
    static final Orientation MIRRORED = new Orientation(2);

    public Orientation {
        if (exif < 1 || exif > 8) {
            exif = 1; // Notes beyond reading say upright.
        }
    }

    public boolean isSideways() {
        return exif >= 5;
    }

    /** An upright plane of height × width as it lies in the file. */
    public float[] asStored(float[] upright, int height, int width) {
        if (exif == 1) {
            return upright;
        }
        int rows = isSideways() ? width : height;
        int columns = isSideways() ? height : width;
        float[] stored = new float[upright.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                int right = columns - 1 - column;
                int below = rows - 1 - row;
                int from =
                        switch (exif) {
                            case 2 -> row * width + right;
                            case 3 -> below * width + right;
                            case 4 -> below * width + column;
                            case 5 -> column * width + row;
                            case 6 -> column * width + below;
                            case 7 -> right * width + below;
                            default -> right * width + row;
                        };
                stored[row * columns + column] = upright[from];
            }
        }
        return stored;
    }
}
