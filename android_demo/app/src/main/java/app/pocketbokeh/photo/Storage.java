package app.pocketbokeh.photo;

/** Why a file could not be written. */
public final class Storage {
    private Storage() {}

    /** Whether the phone's storage is full, as the system words it. */
    public static boolean isFull(Throwable error) {
        String said = String.valueOf(error.getMessage());
        return said.contains("ENOSPC") || said.contains("No space left");
    }
}
