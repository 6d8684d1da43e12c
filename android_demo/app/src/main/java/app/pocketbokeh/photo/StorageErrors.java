package app.pocketbokeh.photo;

/** Tells why a file could not be written. */
public final class StorageErrors {
    private StorageErrors() {}

    /** Whether the phone's storage is full, by the words of the system's message. */
    public static boolean isFull(Throwable error) {
        String said = String.valueOf(error.getMessage());
        return said.contains("ENOSPC") || said.contains("No space left");
    }
}
