package app.pocketbokeh.photo;

import android.content.ContentResolver;
import android.content.ContentValues;
import android.net.Uri;
import android.os.Build;
import android.os.Environment;
import android.provider.DocumentsContract;
import android.provider.MediaStore;
import java.io.IOException;
import java.io.OutputStream;

/** Puts a picture among the phone's pictures, which needs no permission from Android 10 on. */
public final class Gallery {
    private static final String FOLDER = Environment.DIRECTORY_PICTURES + "/Pocket Bokeh";

    /** Writes a picture. */
    public interface Writer<T> {
        T write(OutputStream out) throws IOException, PhotoException;
    }

    private Gallery() {}

    /** Whether pictures can be put there; else the user must say where a file may be made. */
    public static boolean isOpen() {
        return Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q;
    }

    /**
     * Adds a JPEG, whole or not at all.
     *
     * @return what the writer returned; null leaves nothing behind
     * @throws IOException if the phone's storage refuses it, such as when it is full
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
            throw new IOException("the gallery takes no picture");
        }
        boolean whole = false;
        try {
            T written = write(resolver, uri, writer);
            whole = written != null;
            return written;
        } finally {
            if (whole) {
                values.clear();
                values.put(MediaStore.Images.Media.IS_PENDING, 0);
                resolver.update(uri, values, null, null);
            } else {
                resolver.delete(uri, null, null);
            }
        }
    }

    /**
     * Writes to a document that the user made for it, whole or not at all.
     *
     * @return what the writer returned; null leaves nothing behind
     * @throws IOException if it cannot be written
     */
    public static <T> T writeDocument(ContentResolver resolver, Uri uri, Writer<T> writer)
            throws IOException, PhotoException {
        boolean whole = false;
        try {
            T written = write(resolver, uri, writer);
            whole = written != null;
            return written;
        } finally {
            if (!whole) {
                DocumentsContract.deleteDocument(resolver, uri);
            }
        }
    }

    private static <T> T write(ContentResolver resolver, Uri uri, Writer<T> writer)
            throws IOException, PhotoException {
        try (OutputStream out = resolver.openOutputStream(uri)) {
            if (out == null) {
                throw new IOException("cannot be written: " + uri);
            }
            return writer.write(out);
        }
    }
}
