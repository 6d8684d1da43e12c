package app.pocketbokeh.model;

/** What computes a model. */
public enum Accelerator {
    CPU,
    GPU,
    NNAPI
}
