package app.pocketbokeh.photo;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;

/**
 * Gives other apps access to single files in the cache folder `shared`: the camera app writes its
 * photo there, and shared pictures are read from there.
 */
public final class SharedFiles extends ContentProvider {
    private static final String AUTHORITY = "app.pocketbokeh.shared";
    private static final String FOLDER = "shared";
    private static final long DAY = 24 * 60 * 60 * 1000L;

    /** The file of that name; creates the folder. */
    public static File file(Context context, String name) {
        File folder = new File(context.getCacheDir(), FOLDER);
        folder.mkdirs();
        return new File(folder, name);
    }

    /** Removes files that are older than a day. */
    public static void removeOld(Context context) {
        File[] files = new File(context.getCacheDir(), FOLDER).listFiles();
        for (File file : files == null ? new File[0] : files) {
            if (file.lastModified() < System.currentTimeMillis() - DAY) {
                file.delete();
            }
        }
    }

    /** The URI under which other apps find a file. */
    public static Uri uri(String name) {
        return new Uri.Builder().scheme("content").authority(AUTHORITY).appendPath(name).build();
    }

    /** Whether a URI names one of this app's files. */
    static boolean isOurs(Uri uri) {
        return String.valueOf(uri.getAuthority()).endsWith(AUTHORITY);
    }

    @Override
    public boolean onCreate() {
        return true;
    }

    private File fileOf(Uri uri) throws FileNotFoundException {
        String name = uri.getLastPathSegment();
        boolean plain = name != null && name.equals(new File(name).getName());
        if (!plain || uri.getPathSegments().size() != 1) {
            throw new FileNotFoundException(uri.toString());
        }
        return file(getContext(), name);
    }

    @Override
    public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
        return ParcelFileDescriptor.open(fileOf(uri), ParcelFileDescriptor.parseMode(mode));
    }

    @Override
    public String getType(Uri uri) {
        return uri.toString().endsWith(".json") ? "application/json" : "image/jpeg";
    }

    @Override
    public Cursor query(Uri uri, String[] columns, String where, String[] values, String order) {
        MatrixCursor cursor =
                new MatrixCursor(
                        new String[] {OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE});
        try {
            File file = fileOf(uri);
            cursor.addRow(new Object[] {file.getName(), file.length()});
        } catch (FileNotFoundException error) {
            return cursor;
        }
        return cursor;
    }

    @Override
    public Uri insert(Uri uri, ContentValues values) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int update(Uri uri, ContentValues values, String where, String[] arguments) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int delete(Uri uri, String where, String[] arguments) {
        throw new UnsupportedOperationException();
    }
}
