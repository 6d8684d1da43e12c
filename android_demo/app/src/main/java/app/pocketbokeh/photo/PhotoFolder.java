package app.pocketbokeh.photo;

import android.content.Context;
import java.io.File;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The copies of photos that one screen opened, each in a file of its own, so that what is being
 * opened never replaces what is shown. The folder outlives the app's process: a screen that Android
 * brings back finds its photo by the folder's name.
 */
public final class PhotoFolder {
    private static final String FOLDERS = "photos";

    /** The names of the folders that this process uses. */
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

    /** Removes the folders of processes that ended and whose screens will not come back. */
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

    /** A file for one more photo; not made yet. */
    public File newFile() {
        folder.mkdirs();
        newest = Math.max(newest, last()) + 1;
        return new File(folder, String.valueOf(newest));
    }

    /** The photo that was shown last; null if there is none. */
    public File shown() {
        File first = null;
        for (File file : filesIn(folder)) {
            // A later one was copied and never shown: what is shown removes what came before.
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

    /** Leaves the photo to the screen that comes back in place of this one. */
    public void close() {
        IN_USE.remove(folder.getName());
    }

    /** Removes the photos of a screen that does not come back. */
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

    /** 0 for what is no whole photo. */
    private static int number(File file) {
        String name = file.getName();
        return name.matches("\\d{1,9}") ? Integer.parseInt(name) : 0;
    }

    private static File[] filesIn(File folder) {
        File[] files = folder.listFiles();
        return files == null ? new File[0] : files;
    }
}
