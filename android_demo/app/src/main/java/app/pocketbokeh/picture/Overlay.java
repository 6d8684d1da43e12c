package app.pocketbokeh.picture;

import java.util.List;

/**
 * What a rendering changes in a photo of any size: up(gain) · photo + up(offset).
 *
 * @param height of the planes
 * @param width of the planes
 * @param gain height × width, 0…1
 * @param offset in values 0…1 of the photo
 */
public record Overlay(int height, int width, float[] gain, Planes offset) {
    /** Averages the overlays of several renderings of one photo, at the first one's size. */
    public static Overlay mean(List<Overlay> overlays) {
        int height = overlays.get(0).height;
        int width = overlays.get(0).width;
        float[] gain = new float[height * width];
        Planes offset = new Planes(height, width);
        float share = 1f / overlays.size();
        for (Overlay one : overlays) {
            one.addTo(gain, one.gain, share, height, width);
            for (int channel = 0; channel < 3; channel++) {
                float[] sum = offset.channel(channel);
                one.addTo(sum, one.offset.channel(channel), share, height, width);
            }
        }
        return new Overlay(height, width, gain, offset);
    }

    private void addTo(float[] sum, float[] plane, float share, int newHeight, int newWidth) {
        boolean fits = newHeight == height && newWidth == width;
        float[] resized =
                fits ? plane : Bicubic.resize(plane, height, width, newHeight, newWidth);
        for (int pixel = 0; pixel < sum.length; pixel++) {
            sum[pixel] += share * resized[pixel];
        }
    }

    /** Scales the effect: 0 leaves the photo as it is, 1 is the full rendering. */
    public Overlay atStrength(float strength) {
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

    /** Turns an overlay for the upright photo into one for its stored pixels. */
    public Overlay asStored(Orientation orientation) {
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
