package app.pocketbokeh.picture;

/**
 * The orientation of a photo's stored pixels, numbered as in EXIF: 1 is upright, 5 to 8 swap height
 * and width.
 *
 * @param exif 1…8; any other value becomes 1, as in `pocket_bokeh/photo_file/exif.py`
 */
public record Orientation(int exif) {
    public static final Orientation UPRIGHT = new Orientation(1);

    /** Upright, left and right exchanged. */
    static final Orientation MIRRORED = new Orientation(2);

    public Orientation {
        if (exif < 1 || exif > 8) {
            exif = 1;
        }
    }

    public boolean isSideways() {
        return exif >= 5;
    }

    /** Turns an upright plane of height × width into the order in which the file stores it. */
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
