package app.pocketbokeh.picture;

/**
 * A point that is to be sharp, in fractions of the upright photo's width and height.
 *
 * @param x from its left, 0…1
 * @param y from its top, 0…1
 */
public record FocusPoint(float x, float y) {
    /** Whether it lies in the photo. */
    public boolean isInside() {
        return x >= 0 && x <= 1 && y >= 0 && y <= 1;
    }
}
