package app.pocketbokeh.photo;

/** A problem with a photo that the user should read about; the message is a string resource. */
public final class PhotoException extends Exception {
    private static final long serialVersionUID = 1;
    private final int message;
    private final String detail;

    PhotoException(int message, Throwable cause) {
        this(message, cause, "");
    }

    /** Also takes the argument of the string resource. */
    PhotoException(int message, Throwable cause, String detail) {
        super(cause);
        this.message = message;
        this.detail = detail;
    }

    /** The string resource. */
    public int message() {
        return message;
    }

    /** The argument of the string resource; empty if it has none. */
    public String detail() {
        return detail;
    }
}
