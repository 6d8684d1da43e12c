package app.pocketbokeh.photo;

import android.content.ContentResolver;
import android.content.ContentValues;
import android.net.Uri;
import android.os.Build;
import android.os.Environment;
import android.provider.DocumentsContract;
import android.provider.MediaStore;
import android.util.Log;
import java.io.IOException;
import java.io.OutputStream;

/** Adds pictures to the phone's gallery, which needs no permission since Android 10. */
public final class Gallery {
    private static final String FOLDER = Environment.DIRECTORY_PICTURES + "/Pocket Bokeh";

    /** Writes a picture. */
    public interface Writer<T> {
        T write(OutputStream out) throws IOException, PhotoException;
    }

    private Gallery() {}

    /** Whether pictures can be added; before Android 10 the user must choose a place for a file. */
    public static boolean isOpen() {
        return Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q;
    }

    /**
     * Adds a JPEG, whole or not at all.
     *
     * @return what the writer returned; if that is null, the picture is removed again
     * @throws IOException if it cannot be stored, for example because the storage is full
     */
    public static <T> T add(ContentResolver resolver, String name, Writer<T> writer)
            throws IOException, PhotoException {
        ContentValues values = new ContentValues();
        values.put(MediaStore.Images.Media.DISPLAY_NAME, name);
        values.put(MediaStore.Images.Media.MIME_TYPE, "image/jpeg");
        values.put(MediaStore.Images.Media.RELATIVE_PATH, FOLDER);
        values.put(MediaStore.Images.Media.IS_PENDING, 1);
        Uri uri = resolver.insert(MediaStore.Images.Media.EXTERNAL_CONTENT_URI, values);
        if (uri == null) {
            throw new IOException("the gallery refuses the picture");
        }
        T written = writeOrRemove(
                resolver, uri, writer, () -> resolver.delete(uri, null, null));
        if (written != null) {
            values.clear();
            values.put(MediaStore.Images.Media.IS_PENDING, 0);
            if (resolver.update(uri, values, null, null) != 1) {
                throw new IOException("the gallery has lost the picture");
            }
        }
        return written;
    }

    /**
     * Writes to a document that the user created for it, whole or not at all.
     *
     * @return what the writer returned; if that is null, the document is removed again
     * @throws IOException if it cannot be written
     */
    public static <T> T writeDocument(ContentResolver resolver, Uri uri, Writer<T> writer)
            throws IOException, PhotoException {
        return writeOrRemove(
                resolver, uri, writer, () -> DocumentsContract.deleteDocument(resolver, uri));
    }

    private interface Removal {
        void run() throws IOException;
    }

    private static <T> T writeOrRemove(
            ContentResolver resolver, Uri uri, Writer<T> writer, Removal removal)
            throws IOException, PhotoException {
        T written = null;
        try {
            written = write(resolver, uri, writer);
            return written;
        } finally {
            if (written == null) {
                remove(removal);
            }
        }
    }

    /** Only logs a failure, so that it does not hide why the picture could not be written. */
    private static void remove(Removal removal) {
        try {
            removal.run();
        } catch (IOException | RuntimeException error) {
            Log.w("PocketBokeh", "an incomplete picture could not be removed", error);
        }
    }

    private static <T> T write(ContentResolver resolver, Uri uri, Writer<T> writer)
            throws IOException, PhotoException {
        // "t" truncates: an existing document may be longer than the picture.
        try (OutputStream out = resolver.openOutputStream(uri, "wt")) {
            if (out == null) {
                throw new IOException("cannot be written: " + uri);
            }
            return writer.write(out);
        }
    }
}
