package app.pocketbokeh.photo;

import android.content.Context;
import java.io.File;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Holds the copies of the photos that one screen opened, each in its own file, so that a photo being
 * opened never overwrites the one on the screen. The folder outlives the app's process: a screen
 * that Android restores finds its photo by the folder's name.
 */
public final class PhotoFolder {
    private static final String FOLDERS = "photos";

    /** Names of the folders that this process uses. */
    private static final Set<String> IN_USE = ConcurrentHashMap.newKeySet();

    private final File folder;
    private int newest;

    /**
     * Uses a folder until it is closed.
     *
     * @param name of an earlier screen's folder; null for a new one
     */
    public PhotoFolder(Context context, String name) {
        folder = new File(parent(context), name == null ? UUID.randomUUID().toString() : name);
        IN_USE.add(folder.getName());
    }

    private static File parent(Context context) {
        return new File(context.getNoBackupFilesDir(), FOLDERS);
    }

    /** Removes the folders that earlier processes left and no screen uses any more. */
    public static void removeAbandoned(Context context) {
        for (File folder : filesIn(parent(context))) {
            if (!IN_USE.contains(folder.getName())) {
                remove(folder);
            }
        }
    }

    public String name() {
        return folder.getName();
    }

    /** A new name for one more photo; the file does not exist yet. */
    public File newFile() {
        folder.mkdirs();
        newest = Math.max(newest, last()) + 1;
        return new File(folder, String.valueOf(newest));
    }

    /** The photo that was shown last; null if there is none. */
    public File shown() {
        File first = null;
        for (File file : filesIn(folder)) {
            // Showing a photo removes the earlier ones. A later one was copied but never shown.
            if (number(file) > 0 && (first == null || number(file) < number(first))) {
                first = file;
            }
        }
        return first;
    }

    /** Removes all but one. */
    public void keepOnly(File kept) {
        for (File file : filesIn(folder)) {
            if (!file.equals(kept)) {
                file.delete();
            }
        }
    }

    /** Stops using the folder but keeps it for the screen when Android restores it. */
    public void close() {
        IN_USE.remove(folder.getName());
    }

    /** Removes the folder of a screen that was closed for good. */
    public void remove() {
        close();
        remove(folder);
    }

    private static void remove(File folder) {
        for (File file : filesIn(folder)) {
            file.delete();
        }
        folder.delete();
    }

    private int last() {
        int last = 0;
        for (File file : filesIn(folder)) {
            last = Math.max(last, number(file));
        }
        return last;
    }

    /** The number in a file's name; 0 if it is not a complete photo. */
    private static int number(File file) {
        String name = file.getName();
        return name.matches("\\d{1,9}") ? Integer.parseInt(name) : 0;
    }

    private static File[] filesIn(File folder) {
        File[] files = folder.listFiles();
        return files == null ? new File[0] : files;
    }
}
