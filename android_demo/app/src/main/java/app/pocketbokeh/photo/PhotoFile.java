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
import java.util.Set;

/**
 * A photo in the app's own storage. It is copied there when it is chosen: the right to read it from
 * elsewhere ends with the process, and the file may be needed again, at its full size. The file never
 * changes, so what was read of it once stays true.
 */
public final class PhotoFile {
    private static final long MOST_BYTES = 200_000_000;

    /** Android's decoder turns the others, such as HEIF, by itself. */
    private static final Set<String> DECODED_AS_STORED =
            Set.of("image/jpeg", "image/png", "image/webp");

    private final File file;
    private final int height;
    private final int width;
    private final boolean isDecodedUpright;
    private final Orientation orientation;

    /**
     * Reads a photo's header.
     *
     * @throws PhotoException if it is no photo
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
        isDecodedUpright = !DECODED_AS_STORED.contains(options.outMimeType);
        orientation = isDecodedUpright ? Orientation.UPRIGHT : readOrientation(file);
    }

    /** Where a photo comes from. */
    private interface Source {
        InputStream open() throws IOException;
    }

    /**
     * Copies a photo that the user granted, whole or not at all.
     *
     * @param uri a content URI
     * @param to a file that nothing else uses
     * @throws PhotoException if it cannot be read or stored, or is no photo
     */
    public static PhotoFile copy(ContentResolver resolver, Uri uri, File to)
            throws PhotoException {
        return copy(() -> open(resolver, uri), to);
    }

    /**
     * Copies the photo that a camera app wrote, whole or not at all. The camera may still write to
     * its own file, so that one is not kept.
     *
     * @param to a file that nothing else uses
     * @throws PhotoException if it wrote none, or as above
     */
    public static PhotoFile copyCaptured(File captured, File to) throws PhotoException {
        if (captured.length() == 0) {
            throw new PhotoException(R.string.nothing_taken, null);
        }
        return copy(() -> new FileInputStream(captured), to);
    }

    private static PhotoFile copy(Source source, File to) throws PhotoException {
        File beside = new File(to.getPath() + ".part");
        try {
            try (InputStream in = source.open()) {
                store(in, beside);
            } catch (IOException | RuntimeException error) { // Another app's code may throw any.
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
        // Another app might name one of our own files, which we may read and it may not.
        boolean granted = ContentResolver.SCHEME_CONTENT.equals(uri.getScheme());
        if (!granted || SharedFiles.isOurs(uri)) {
            throw new IOException("not a photo that was granted: " + uri);
        }
        InputStream stream = resolver.openInputStream(uri);
        if (stream == null) {
            throw new IOException("no such photo: " + uri);
        }
        return stream;
    }

    /** What fails to be read is an IOException, what fails to be written a PhotoException. */
    private static void store(InputStream in, File to) throws IOException, PhotoException {
        byte[] buffer = new byte[1 << 16];
        long total = 0;
        try (Written out = new Written(to)) {
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

    /** A file that is written; all that fails says that it could not be stored. */
    private static final class Written implements AutoCloseable {
        private final FileOutputStream out;

        Written(File file) throws PhotoException {
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
        return Storage.isFull(error)
                ? new PhotoException(R.string.no_space, error)
                : new PhotoException(R.string.cannot_store, error, error.getMessage());
    }

    private static Orientation readOrientation(File file) {
        try {
            return ExifNotes.read(file).orientation();
        } catch (IOException error) {
            return Orientation.UPRIGHT;
        }
    }

    public File file() {
        return file;
    }

    /**
     * What its camera noted, of the photo as `decode` gives it.
     *
     * @throws IOException if the file cannot be read
     */
    ExifNotes notes() throws IOException {
        ExifNotes notes = ExifNotes.read(file);
        return isDecodedUpright ? notes.upright() : notes;
    }

    public Orientation orientation() {
        return orientation;
    }

    /** Pixels, as the photo lies in its file. */
    public long pixels() {
        return (long) height * width;
    }

    /** Of the upright photo. */
    public int uprightHeight() {
        return orientation.isSideways() ? width : height;
    }

    /** Of the upright photo. */
    public int uprightWidth() {
        return orientation.isSideways() ? height : width;
    }

    /**
     * Decodes it as it lies in its file, at one over a power of two of its size.
     *
     * @return in the colours of its own profile where Android knows it; may be drawn on
     * @throws PhotoException if it is damaged
     * @throws OutOfMemoryError if it does not fit
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

    /** What brightens single pixels on an HDR screen was made for the photo as it was. */
    @FromApi(34)
    private static void dropGainmap(Bitmap bitmap) {
        if (bitmap.hasGainmap()) {
            bitmap.setGainmap(null);
        }
    }

    /**
     * Decodes it upright for the screen, no side longer than so many pixels.
     *
     * @throws PhotoException if it is damaged
     */
    public Bitmap decodeUpright(int longestSide) throws PhotoException {
        int sample = 1;
        while (Math.max(height, width) / (2 * sample) >= longestSide) {
            sample *= 2;
        }
        Bitmap stored = decode(sample);
        float scale = (float) longestSide / Math.max(stored.getHeight(), stored.getWidth());
        Matrix turn = turn(orientation);
        if (scale < 1) {
            turn.preScale(scale, scale);
        }
        if (turn.isIdentity()) {
            return stored;
        }
        Bitmap upright =
                Bitmap.createBitmap(
                        stored, 0, 0, stored.getWidth(), stored.getHeight(), turn, true);
        if (upright != stored) {
            stored.recycle();
        }
        return upright;
    }

    private static Matrix turn(Orientation orientation) {
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
