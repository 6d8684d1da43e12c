package app.pocketbokeh.picture;

/**
 * What a network sees.
 *
 * @param colours of the network's input size
 * @param focus a focus map of the same size, unsigned bytes, all 0 for automatic focus; null for a
 *     network without one
 */
public record NetworkInput(Picture colours, byte[] focus) {
    public NetworkInput {
        if (focus != null && focus.length != colours.height() * colours.width()) {
            throw new IllegalArgumentException("the focus map has another size than the picture");
        }
    }

    /** 3, or 4 with a focus map. */
    public int channels() {
        return focus == null ? 3 : 4;
    }

    /** Height × width × channels, unsigned bytes. */
    public byte[] interleaved() {
        byte[] rgb = colours.rgb();
        if (focus == null) {
            return rgb;
        }
        byte[] all = new byte[4 * focus.length];
        for (int pixel = 0; pixel < focus.length; pixel++) {
            System.arraycopy(rgb, 3 * pixel, all, 4 * pixel, 3);
            all[4 * pixel + 3] = focus[pixel];
        }
        return all;
    }
}
