package app.pocketbokeh.photo;

/** Something about a photo that its owner should know; the message is a string resource. */
public final class PhotoException extends Exception {
    private static final long serialVersionUID = 1;
    private final int message;

    PhotoException(int message, Throwable cause) {
        super(cause);
        this.message = message;
    }

    /** The string resource that says it. */
    public int message() {
        return message;
    }
}
