package app.pocketbokeh.photo;

/** Something about a photo that its owner should know; the message is a string resource. */
public final class PhotoException extends Exception {
    private static final long serialVersionUID = 1;
    private final int message;
    private final String detail;

    PhotoException(int message, Throwable cause) {
        this(message, cause, "");
    }

    /** With what the string resource takes as its argument. */
    PhotoException(int message, Throwable cause, String detail) {
        super(cause);
        this.message = message;
        this.detail = detail;
    }

    /** The string resource that says it. */
    public int message() {
        return message;
    }

    /** The argument of the string resource; empty if it has none. */
    public String detail() {
        return detail;
    }
}
