package app.pocketbokeh.model;

/** Thrown when an accelerator is missing or cannot run a model; the message says why. */
public final class AcceleratorException extends Exception {
    private static final long serialVersionUID = 1;

    public AcceleratorException(String reason, Throwable cause) {
        super(reason, cause);
    }
}
