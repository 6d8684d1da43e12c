package app.pocketbokeh.model;

import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;

/** What turns a picture into a rendering twice its size. Used by one thread, the one it is made on. */
public interface Renderer extends AutoCloseable {
    /**
     * Renders a picture.
     *
     * @param input of the model's input size
     * @return twice as high and wide, 0…1
     * @throws AcceleratorException if the accelerator fails
     */
    Planes render(Picture input) throws AcceleratorException;

    @Override
    void close();
}
