package app.pocketbokeh.model;

/** An accelerator that is missing or does not take a model; the message says why. */
public final class AcceleratorException extends Exception {
    private static final long serialVersionUID = 1;

    public AcceleratorException(String reason, Throwable cause) {
        super(reason, cause);
    }
}
