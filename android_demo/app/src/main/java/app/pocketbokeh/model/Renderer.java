package app.pocketbokeh.model;

import app.pocketbokeh.picture.NetworkInput;
import app.pocketbokeh.picture.Planes;

/** Renders pictures at twice their size. Must be used on the thread that created it. */
public interface Renderer extends AutoCloseable {
    /**
     * Renders a photo.
     *
     * @param input of the model's input size and channels
     * @return twice as high and wide, 0…1
     * @throws AcceleratorException if the accelerator fails
     */
    Planes render(NetworkInput input) throws AcceleratorException;

    @Override
    void close();
}
