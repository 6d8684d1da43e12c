package app.pocketbokeh.picture;

/**
 * What a rendering does to a photo of any size: gain · photo + offset, both enlarged.
 *
 * @param height of the planes
 * @param width of the planes
 * @param gain height × width, 0…1
 * @param offset in values 0…1 of the photo
 */
public record Overlay(int height, int width, float[] gain, Planes offset) {
    /** The overlay of less strength, 0…1: between the photo and the rendering. */
    public Overlay ofStrength(float strength) {
        float[] weaker = new float[gain.length];
        for (int pixel = 0; pixel < gain.length; pixel++) {
            weaker[pixel] = 1 - strength + strength * gain[pixel];
        }
        Planes moved = new Planes(height, width);
        for (int channel = 0; channel < 3; channel++) {
            float[] from = offset.channel(channel);
            float[] to = moved.channel(channel);
            for (int pixel = 0; pixel < to.length; pixel++) {
                to[pixel] = strength * from[pixel];
            }
        }
        return new Overlay(height, width, weaker, moved);
    }

    /** The overlay for the photo as it lies in its file, which is to be turned to be upright. */
    public Overlay turnedAs(Orientation orientation) {
        float[][] channels = new float[3][];
        for (int channel = 0; channel < 3; channel++) {
            channels[channel] = orientation.asStored(offset.channel(channel), height, width);
        }
        int storedHeight = orientation.isSideways() ? width : height;
        int storedWidth = orientation.isSideways() ? height : width;
        return new Overlay(
                storedHeight,
                storedWidth,
                orientation.asStored(gain, height, width),
                new Planes(storedHeight, storedWidth, channels));
    }
}
