package app.pocketbokeh.photo;

import android.app.ActivityManager;
import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.ColorSpace;
import android.os.Build;
import app.pocketbokeh.FromApi;
import app.pocketbokeh.R;
import app.pocketbokeh.picture.OverlayBlender;
import app.pocketbokeh.picture.Overlay;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Renders a photo at its full size and writes it as a JPEG. Only one bitmap has the full size; the
 * bokeh is rendered into it, a band of rows at a time.
 */
public final class FullSize {
    private static final int BAND = 32;
    private static final int QUALITY = 95;
    private static final int BYTES_PER_PIXEL = 4;
    private static final int LARGEST_SAMPLE = 16;

    /**
     * The size of what was written.
     *
     * @param height of the upright photo
     * @param width of the upright photo
     * @param sample 1 for the full size, else the divisor that made it fit into memory
     */
    public record Written(int height, int width, int sample) {}

    /** Is asked between two bands. */
    public interface Cancelled {
        boolean isCancelled();
    }

    private FullSize() {}

    /**
     * Renders a photo and writes it with its EXIF. The pixels are stored in the orientation of the
     * photo's own file.
     *
     * @param overlay for the upright photo
     * @return the size, or null if it was cancelled
     * @throws PhotoException if the photo is damaged or does not fit into memory at any size
     * @throws IOException if it cannot be written
     */
    public static Written write(
            Context context,
            PhotoFile photo,
            Overlay overlay,
            OutputStream out,
            Cancelled cancelled)
            throws PhotoException, IOException {
        Overlay stored = overlay.asStored(photo.orientation());
        for (int sample = fittingSample(context, photo); sample <= LARGEST_SAMPLE; sample *= 2) {
            Bitmap bitmap = renderIfItFits(photo, sample, stored, cancelled);
            if (bitmap != null) {
                // Once a byte is written, a smaller size can no longer be tried.
                return encode(bitmap, photo, sample, out);
            }
            if (cancelled.isCancelled()) {
                return null;
            }
        }
        throw new PhotoException(R.string.no_memory, null);
    }

    /** Returns null if the photo does not fit into memory, or it was cancelled. */
    private static Bitmap renderIfItFits(
            PhotoFile photo, int sample, Overlay stored, Cancelled cancelled)
            throws PhotoException {
        Bitmap bitmap = null;
        boolean whole = false;
        try {
            bitmap = photo.decode(sample);
            whole = render(bitmap, stored, cancelled);
        } catch (OutOfMemoryError error) {
            whole = false; // The caller tries half the size, which takes a quarter of the memory.
        }
        if (!whole && bitmap != null) {
            bitmap.recycle();
        }
        return whole ? bitmap : null;
    }

    /** The smallest divisor at which the photo fits into the memory that it may use. */
    private static int fittingSample(Context context, PhotoFile photo) {
        long most = mostBytes(context);
        int sample = 1;
        while (sample < LARGEST_SAMPLE
                && photo.pixels() / sample / sample * BYTES_PER_PIXEL > most) {
            sample *= 2;
        }
        return sample;
    }

    /**
     * Half of the memory that is free above Android's threshold, below which it ends other apps; at
     * least an eighth of all free memory.
     */
    private static long mostBytes(Context context) {
        ActivityManager.MemoryInfo memory = new ActivityManager.MemoryInfo();
        context.getSystemService(ActivityManager.class).getMemoryInfo(memory);
        return Math.max((memory.availMem - memory.threshold) / 2, memory.availMem / 8);
    }

    /**
     * Renders in place.
     *
     * @param overlay for the bitmap as its pixels are stored
     * @return false if it was cancelled before the end
     */
    public static boolean render(Bitmap bitmap, Overlay overlay, Cancelled cancelled) {
        ColorSpace own = bitmap.getColorSpace();
        label(bitmap, ColorSpace.get(ColorSpace.Named.SRGB));
        int width = bitmap.getWidth();
        int height = bitmap.getHeight();
        OverlayBlender blender = new OverlayBlender(overlay, height, width);
        int[] pixels = new int[Math.min(BAND, height) * width];
        for (int top = 0; top < height; top += BAND) {
            if (cancelled.isCancelled()) {
                return false;
            }
            int rows = Math.min(BAND, height - top);
            bitmap.getPixels(pixels, 0, width, 0, top, width, rows);
            for (int row = 0; row < rows; row++) {
                blender.blendRow(top + row, pixels, row * width);
            }
            bitmap.setPixels(pixels, 0, width, 0, top, width, rows);
        }
        label(bitmap, own);
        return true;
    }

    /**
     * Labels a bitmap with a colour space without changing its values. Labelled sRGB, Android hands
     * out the values as they are instead of clipping a wider space to sRGB. Before Android 10 every
     * photo is decoded to sRGB.
     */
    private static void label(Bitmap bitmap, ColorSpace space) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q && space != null) {
            assign(bitmap, space);
        }
    }

    @FromApi(29)
    private static void assign(Bitmap bitmap, ColorSpace space) {
        bitmap.setColorSpace(space);
    }

    private static Written encode(Bitmap bitmap, PhotoFile photo, int sample, OutputStream out)
            throws IOException {
        try {
            ExifJpegStream jpeg = new ExifJpegStream(out, photo.exif().segment());
            boolean written = bitmap.compress(Bitmap.CompressFormat.JPEG, QUALITY, jpeg);
            jpeg.flush();
            jpeg.check();
            if (!written) {
                throw new IOException("Android's encoder failed");
            }
            boolean isSideways = photo.orientation().isSideways();
            int height = isSideways ? bitmap.getWidth() : bitmap.getHeight();
            int width = isSideways ? bitmap.getHeight() : bitmap.getWidth();
            return new Written(height, width, sample);
        } finally {
            bitmap.recycle();
        }
    }
}
