package app.pocketbokeh.photo;

import android.content.ContentResolver;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.ColorSpace;
import android.graphics.Matrix;
import android.net.Uri;
import android.os.Build;
import app.pocketbokeh.FromApi;
import app.pocketbokeh.R;
import app.pocketbokeh.picture.Orientation;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;

/**
 * A photo in the app's own storage. It is copied when it is chosen, because the right to read the
 * original ends with the process, and the file is needed again at its full size. The copy never
 * changes.
 */
public final class PhotoFile {
    private static final long MOST_BYTES = 200_000_000;


    private final File file;
    private final int height;
    private final int width;
    private final Orientation orientation;

    /**
     * Reads a photo's header.
     *
     * @throws PhotoException if it is not a photo
     */
    public PhotoFile(File file) throws PhotoException {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inJustDecodeBounds = true;
        BitmapFactory.decodeFile(file.getPath(), options);
        if (options.outWidth <= 0 || options.outHeight <= 0) {
            throw new PhotoException(R.string.not_a_photo, null);
        }
        this.file = file;
        height = options.outHeight;
        width = options.outWidth;
        orientation = readOrientation(file); // BitmapFactory applies none, not even that of HEIC.
    }

    /** Opens the original. */
    private interface Opener {
        InputStream open() throws IOException;
    }

    /**
     * Copies a photo that the user gave access to, whole or not at all.
     *
     * @param uri a content URI
     * @param to a file that nothing else uses
     * @throws PhotoException if it cannot be read or stored, or is not a photo
     */
    public static PhotoFile copy(ContentResolver resolver, Uri uri, File to)
            throws PhotoException {
        return copy(() -> open(resolver, uri), to);
    }

    /**
     * Copies the photo that the camera app wrote, whole or not at all. It is copied because the
     * camera app may still write to its own file.
     *
     * @param to a file that nothing else uses
     * @throws PhotoException if the camera app wrote nothing, or as in `copy`
     */
    public static PhotoFile copyCaptured(File captured, File to) throws PhotoException {
        if (captured.length() == 0) {
            throw new PhotoException(R.string.nothing_taken, null);
        }
        return copy(() -> new FileInputStream(captured), to);
    }

    private static PhotoFile copy(Opener original, File to) throws PhotoException {
        File beside = new File(to.getPath() + ".part");
        try {
            try (InputStream in = original.open()) {
                store(in, beside);
            } catch (IOException | RuntimeException error) { // Other apps' code may throw anything.
                throw new PhotoException(R.string.cannot_read, error);
            }
            new PhotoFile(beside);
            Files.move(beside.toPath(), to.toPath(), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException error) {
            throw notStored(error);
        } finally {
            beside.delete();
        }
        return new PhotoFile(to);
    }

    private static InputStream open(ContentResolver resolver, Uri uri) throws IOException {
        // Another app could name one of this app's files, which that app may not read itself.
        boolean granted = ContentResolver.SCHEME_CONTENT.equals(uri.getScheme());
        if (!granted || SharedFiles.isOurs(uri)) {
            throw new IOException("no access was granted to " + uri);
        }
        InputStream stream = resolver.openInputStream(uri);
        if (stream == null) {
            throw new IOException("no such photo: " + uri);
        }
        return stream;
    }

    /** Throws an IOException if reading fails, a PhotoException if writing fails. */
    private static void store(InputStream in, File to) throws IOException, PhotoException {
        byte[] buffer = new byte[1 << 16];
        long total = 0;
        try (CopyOutput out = new CopyOutput(to)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                total += count;
                if (total > MOST_BYTES) {
                    String limit = String.valueOf(MOST_BYTES / 1_000_000);
                    throw new PhotoException(R.string.too_large, null, limit);
                }
                out.write(buffer, count);
            }
        }
    }

    /** The file that the copy is written to. Every failure says that it could not be stored. */
    private static final class CopyOutput implements AutoCloseable {
        private final FileOutputStream out;

        CopyOutput(File file) throws PhotoException {
            try {
                out = new FileOutputStream(file);
            } catch (IOException error) {
                throw notStored(error);
            }
        }

        void write(byte[] bytes, int count) throws PhotoException {
            try {
                out.write(bytes, 0, count);
            } catch (IOException error) {
                throw notStored(error);
            }
        }

        @Override
        public void close() throws PhotoException {
            try {
                out.close();
            } catch (IOException error) {
                throw notStored(error);
            }
        }
    }

    private static PhotoException notStored(IOException error) {
        return StorageErrors.isFull(error)
                ? new PhotoException(R.string.no_space, error)
                : new PhotoException(R.string.cannot_store, error, error.getMessage());
    }

    private static Orientation readOrientation(File file) {
        try {
            return ExifReader.read(file).orientation();
        } catch (IOException error) {
            return Orientation.UPRIGHT;
        }
    }

    public File file() {
        return file;
    }

    /**
     * The EXIF for the photo as `decode` gives it.
     *
     * @throws IOException if the file cannot be read
     */
    Exif exif() throws IOException {
        return ExifReader.read(file);
    }

    public Orientation orientation() {
        return orientation;
    }

    /** Number of pixels. */
    public long pixels() {
        return (long) height * width;
    }

    /** Height of the upright photo. */
    public int uprightHeight() {
        return orientation.isSideways() ? width : height;
    }

    /** Width of the upright photo. */
    public int uprightWidth() {
        return orientation.isSideways() ? height : width;
    }

    /**
     * Decodes the photo in its stored orientation.
     *
     * @param sample by which each side is divided; a power of two
     * @return mutable, in the photo's own colour space if Android knows it
     * @throws PhotoException if the photo is damaged
     * @throws OutOfMemoryError if it does not fit into memory
     */
    public Bitmap decode(int sample) throws PhotoException {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inSampleSize = sample;
        options.inMutable = true;
        options.inPreferredConfig = Bitmap.Config.ARGB_8888;
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) {
            options.inPreferredColorSpace = ColorSpace.get(ColorSpace.Named.SRGB);
        }
        Bitmap bitmap = BitmapFactory.decodeFile(file.getPath(), options);
        if (bitmap == null) {
            throw new PhotoException(R.string.damaged_photo, null);
        }
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.UPSIDE_DOWN_CAKE) {
            dropGainmap(bitmap);
        }
        return bitmap;
    }

    /** A gain map brightens pixels on an HDR screen; it was made for the photo without bokeh. */
    @FromApi(34)
    private static void dropGainmap(Bitmap bitmap) {
        if (bitmap.hasGainmap()) {
            bitmap.setGainmap(null);
        }
    }

    /**
     * Decodes the photo upright for the screen.
     *
     * @param longestSide the most pixels that a side may have
     * @throws PhotoException if the photo is damaged
     */
    public Bitmap decodeUpright(int longestSide) throws PhotoException {
        int sample = 1;
        while (Math.max(height, width) / (2 * sample) >= longestSide) {
            sample *= 2;
        }
        Bitmap stored = decode(sample);
        float scale = (float) longestSide / Math.max(stored.getHeight(), stored.getWidth());
        Matrix transform = toUpright(orientation);
        if (scale < 1) {
            transform.preScale(scale, scale);
        }
        if (transform.isIdentity()) {
            return stored;
        }
        Bitmap upright =
                Bitmap.createBitmap(
                        stored, 0, 0, stored.getWidth(), stored.getHeight(), transform, true);
        if (upright != stored) {
            stored.recycle();
        }
        return upright;
    }

    private static Matrix toUpright(Orientation orientation) {
        Matrix matrix = new Matrix();
        switch (orientation.exif()) {
            case 2 -> matrix.setScale(-1, 1);
            case 3 -> matrix.setRotate(180);
            case 4 -> matrix.setScale(1, -1);
            case 5 -> {
                matrix.setRotate(90);
                matrix.postScale(-1, 1);
            }
            case 6 -> matrix.setRotate(90);
            case 7 -> {
                matrix.setRotate(-90);
                matrix.postScale(-1, 1);
            }
            case 8 -> matrix.setRotate(-90);
            default -> matrix.reset();
        }
        return matrix;
    }
}
