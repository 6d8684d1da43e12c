package app.pocketbokeh.photo;

import android.app.ActivityManager;
import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.ColorSpace;
import android.os.Build;
import app.pocketbokeh.FromApi;
import app.pocketbokeh.R;
import app.pocketbokeh.picture.Enlargement;
import app.pocketbokeh.picture.Overlay;
import java.io.IOException;
import java.io.OutputStream;

/**
 * A photo at its full size with the bokeh in it, to a JPEG. One bitmap is all that has the full
 * size: the photo is rendered in it, a band of rows at a time.
 */
public final class FullSize {
    private static final int BAND = 32;
    private static final int QUALITY = 95;
    private static final int BYTES_PER_PIXEL = 4;
    private static final int LARGEST_SAMPLE = 16;

    /**
     * What was written.
     *
     * @param height of the upright photo
     * @param width of the upright photo
     * @param sample 1 for the full size, or the divisor by which it fits into the memory
     */
    public record Written(int height, int width, int sample) {}

    /** Asked between two bands. */
    public interface Cancelled {
        boolean isCancelled();
    }

    private FullSize() {}

    /**
     * Renders a photo and writes it, as it lies in its file, with its camera's notes.
     *
     * @param overlay of the upright photo
     * @return what was written, or null if it was cancelled
     * @throws PhotoException if the photo is damaged or does not fit into the memory at all
     * @throws IOException if it cannot be written
     */
    public static Written write(
            Context context,
            PhotoFile photo,
            Overlay overlay,
            OutputStream out,
            Cancelled cancelled)
            throws PhotoException, IOException {
        Overlay stored = overlay.turnedAs(photo.orientation());
        for (int sample = fittingSample(context, photo); sample <= LARGEST_SAMPLE; sample *= 2) {
            Bitmap bitmap = renderIfItFits(photo, sample, stored, cancelled);
            if (bitmap != null) {
                // Once a byte is written there is no beginning anew.
                return encode(bitmap, photo, sample, out);
            }
            if (cancelled.isCancelled()) {
                return null;
            }
        }
        throw new PhotoException(R.string.no_memory, null);
    }

    /** Null if it does not fit into the memory, or was cancelled. */
    private static Bitmap renderIfItFits(
            PhotoFile photo, int sample, Overlay stored, Cancelled cancelled)
            throws PhotoException {
        Bitmap bitmap = null;
        boolean whole = false;
        try {
            bitmap = photo.decode(sample);
            whole = render(bitmap, stored, cancelled);
        } catch (OutOfMemoryError error) {
            whole = false; // Half the size needs a quarter of the memory.
        }
        if (!whole && bitmap != null) {
            bitmap.recycle();
        }
        return whole ? bitmap : null;
    }

    /** The divisor at which the photo fits into the memory that it may take. */
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
     * Half of the memory that is left before Android ends other apps for want of it. Where it does so
     * already, an eighth of what is free.
     */
    private static long mostBytes(Context context) {
        ActivityManager.MemoryInfo memory = new ActivityManager.MemoryInfo();
        context.getSystemService(ActivityManager.class).getMemoryInfo(memory);
        return Math.max((memory.availMem - memory.threshold) / 2, memory.availMem / 8);
    }

    /**
     * Renders in place.
     *
     * @return false if it was cancelled midway
     */
    public static boolean render(Bitmap bitmap, Overlay overlay, Cancelled cancelled) {
        ColorSpace own = bitmap.getColorSpace();
        readAs(bitmap, ColorSpace.get(ColorSpace.Named.SRGB));
        int width = bitmap.getWidth();
        int height = bitmap.getHeight();
        Enlargement enlargement = new Enlargement(overlay, height, width);
        int[] pixels = new int[Math.min(BAND, height) * width];
        for (int top = 0; top < height; top += BAND) {
            if (cancelled.isCancelled()) {
                return false;
            }
            int rows = Math.min(BAND, height - top);
            bitmap.getPixels(pixels, 0, width, 0, top, width, rows);
            for (int row = 0; row < rows; row++) {
                enlargement.render(top + row, pixels, row * width);
            }
            bitmap.setPixels(pixels, 0, width, 0, top, width, rows);
        }
        readAs(bitmap, own);
        return true;
    }

    /**
     * Gives a bitmap's codes another meaning, so that Android hands them out as they are: a wider
     * colour space would be clipped to sRGB. Before Android 10 all is decoded to sRGB.
     */
    private static void readAs(Bitmap bitmap, ColorSpace space) {
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
            NotedJpegStream noted = new NotedJpegStream(out, photo.notes().segment());
            boolean written = bitmap.compress(Bitmap.CompressFormat.JPEG, QUALITY, noted);
            noted.flush();
            noted.check();
            if (!written) {
                throw new IOException("Android's encoder failed");
            }
            boolean turns = photo.orientation().isSideways();
            int height = turns ? bitmap.getWidth() : bitmap.getHeight();
            int width = turns ? bitmap.getHeight() : bitmap.getWidth();
            return new Written(height, width, sample);
        } finally {
            bitmap.recycle();
        }
    }
}
