package app.pocketbokeh.model;

/** The hardware that runs a model. */
public enum Accelerator {
    CPU,
    GPU,
    NNAPI
}
